from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.perception.features.resampling import kernel, resampling


@pytest.mark.parametrize("cubic", [False, True])
@pytest.mark.parametrize(
    ("n_in", "n_out"), [(50, 50), (50, 64), (64, 50), (400, 13), (1, 9), (9, 1), (3, 2), (720, 719)]
)
def test_the_weights_are_those_of_torch(n_in, n_out, cubic):
    torch = pytest.importorskip("torch")
    lines = np.random.default_rng(0).uniform(0, 255, (n_in, 6)).astype(np.float32)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(lines)[None, None],
        size=(n_out, 6),
        mode="bicubic" if cubic else "bilinear",
        antialias=True,
    )[0, 0]
    np.testing.assert_allclose(resampling(n_in, n_out, cubic).times(lines), theirs, atol=0.02)


@pytest.mark.parametrize("cubic", [False, True])
def test_an_even_surface_stays_even(cubic):
    weights = resampling(37, 100, cubic)
    np.testing.assert_allclose(weights.times(np.full((37, 1), 9, np.float32)), 9, rtol=1e-6)


def test_few_weights_are_kept():
    assert resampling(200, 224, False).data.size <= 2 * 224
    assert resampling(400, 100, False).data.size <= 8 * 100


def test_a_line_on_the_centre_counts_fully_and_none_beyond_reach():
    distance = np.array([0, 0.5, 1, 1.5, 2, 7])
    assert kernel(distance, False).tolist() == [1, 0.5, 0, 0, 0, 0]
    assert kernel(distance, True).tolist() == [1, 0.5625, 0, -0.0625, 0, 0]
