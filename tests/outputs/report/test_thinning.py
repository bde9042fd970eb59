"""Fewer points, the same extremes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mot_dinov3.outputs.report.thinning import MOST_POINTS, choose_rows


def test_short_series_are_kept_whole():
    assert choose_rows(np.zeros(MOST_POINTS)).tolist() == list(range(MOST_POINTS))


def test_a_single_spike_stays_in_a_long_series():
    values = np.zeros(100_000)
    values[67_123], values[31_337] = 9.0, -9.0
    rows = choose_rows(values)
    assert {67_123, 31_337, 0, 99_999} <= set(rows.tolist())
    assert len(rows) <= MOST_POINTS


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 400), most=st.integers(4, 60), seed=st.integers(0, 99))
def test_never_too_many_always_ascending_with_ends_and_extremes(n, most, seed):
    values = np.random.default_rng(seed).normal(size=n)
    rows = choose_rows(values, most)
    assert len(rows) <= max(most, 4) or len(rows) == n <= most
    assert (np.diff(rows) > 0).all()
    assert rows[0] == 0
    assert rows[-1] == n - 1
    assert {int(values.argmax()), int(values.argmin())} <= set(rows.tolist())


@pytest.mark.parametrize("hole", [slice(0, 50), slice(0, None)])
def test_unknown_numbers_do_no_harm(hole):
    values = np.arange(20_000, dtype=float)
    values[hole] = np.nan
    assert len(choose_rows(values)) <= MOST_POINTS
