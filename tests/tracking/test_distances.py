"""The histogram agrees with the numbers that it was given."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.tracking.distances import MOST, DistanceHistogram


def counted(distances):
    histogram = DistanceHistogram()
    histogram.add(1.0 - np.asarray(distances, np.float32))
    return histogram


@pytest.mark.parametrize("scale", [0.005, 0.3])
def test_quantiles_are_those_of_the_numbers_on_any_scale(scale):
    numbers = scale * np.random.default_rng(0).gamma(4.0, 0.25, 4000)
    histogram = counted(numbers)
    for share in (0.02, 0.25, 0.5, 0.9):
        assert histogram.quantile(share) == pytest.approx(np.quantile(numbers, share), rel=0.07)


def test_the_share_below_a_distance_is_the_inverse_of_its_quantile():
    histogram = counted(np.random.default_rng(1).uniform(0.01, 1.0, 3000))
    assert histogram.share_below(histogram.quantile(0.3)) == pytest.approx(0.3, abs=0.02)
    assert DistanceHistogram().share_below(0.5) == 0


def test_separation_is_the_probability_that_one_is_nearer():
    rng = np.random.default_rng(2)
    near, far = rng.normal(0.3, 0.1, 800), rng.normal(0.5, 0.1, 900)
    wanted = (near[:, None] < far[None]).mean()
    assert counted(near).separation(counted(far)) == pytest.approx(wanted, abs=0.02)
    assert counted(near).separation(counted(near)) == pytest.approx(0.5, abs=1e-6)


def test_old_numbers_fade():
    histogram = counted(np.full(MOST, 0.5))
    for _ in range(6):
        histogram.add(np.full(MOST // 2, 0.9, np.float32))
    assert histogram.total <= MOST
    assert histogram.quantile(0.5) == pytest.approx(0.1, rel=0.1)
