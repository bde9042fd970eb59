"""Figures of many samples in little memory."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from mot_dinov3.runtime.distribution import EXACT, Distribution, spread_of, summarise
from mot_dinov3.values.run_facts import Spread


def of(values):
    out = Distribution()
    for value in values:
        out.add(float(value))
    return out


def test_few_samples_are_ranked_exactly():
    values = np.random.default_rng(0).gamma(2.0, 5.0, EXACT)
    seen, shares = of(values), (0.1, 0.5, 0.99)
    np.testing.assert_array_equal(seen.quantiles(shares), np.quantile(values, shares))
    assert seen.spread().mean == pytest.approx(float(values.mean()))
    assert (len(seen), seen.most) == (EXACT, values.max())


@pytest.mark.parametrize("ordered", [False, True])
def test_many_samples_are_ranked_closely_in_any_order(ordered):
    values = np.random.default_rng(1).gamma(2.0, 5.0, 10 * EXACT)
    values = np.sort(values) if ordered else values
    seen = of(values)
    shares = (0.05, 0.5, 0.95, 0.99)
    np.testing.assert_allclose(seen.quantiles(shares), np.quantile(values, shares), rtol=0.005)
    assert seen.mean == pytest.approx(values.mean())
    assert len(seen.samples) == EXACT


def test_a_pattern_of_the_scheduler_is_not_mistaken():
    """Every eighth frame is dear: a thinned sample could see all of these or none."""
    seen = of([80.0 if k % 8 == 0 else 10.0 for k in range(8 * EXACT)])
    assert seen.quantiles((0.5, 0.87, 0.88)) == pytest.approx([10, 10, 80], rel=0.003)


def test_what_never_changes_stays_as_it_is():
    assert of([20.0] * (3 * EXACT)).quantiles((0.0, 0.5, 1.0)).tolist() == [20.0] * 3


def test_nothing_and_zeros():
    assert Distribution().spread() == spread_of([]) == Spread(0.0, 0.0, 0.0, 0.0)
    assert of([0.0] * (2 * EXACT)).spread() == Spread(0.0, 0.0, 0.0, 0.0)


def test_a_summary_is_mean_and_percentiles():
    for spread in (spread_of(list(range(101))), of(range(101)).spread()):
        assert spread == Spread(50.0, 50.0, 95.0, 99.0)
    assert summarise([2.0]) == {"mean": 2.0, "p50": 2.0, "p95": 2.0, "p99": 2.0}
    assert set(summarise([]).values()) == {0.0}


def test_samples_that_are_all_there_are_summed_up_exactly():
    values = np.random.default_rng(3).normal(0.0, 5.0, 3 * EXACT)
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    exact = {"mean": values.mean(), "p50": p50, "p95": p95, "p99": p99}
    assert summarise(values.tolist()) == {name: round(float(v), 3) for name, v in exact.items()}


def test_memory_ends_to_grow():
    rng = np.random.default_rng(2)
    seen = of(rng.gamma(2.0, 5.0, 3 * EXACT))

    def size():
        return sys.getsizeof(seen.samples) + sys.getsizeof(seen._later)

    before = size()
    for value in rng.gamma(2.0, 5.0, 20 * EXACT):
        seen.add(value)
    assert size() <= 1.5 * before
