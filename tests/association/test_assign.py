from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mot_dinov3.association.assign import REFUSED, greedy, hungarian

costs = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, float(REFUSED)]),
)


def best_by_trying(cost):
    """(most pairs, least cost) over all assignments; refused pairs do not count."""
    n, m = cost.shape
    best = (0, 0.0)
    for columns in itertools.permutations(range(m + n), n):
        pairs = [(i, j) for i, j in enumerate(columns) if j < m and cost[i, j] < REFUSED]
        total = float(sum(cost[i, j] for i, j in pairs))
        best = max(best, (len(pairs), -total))
    return best


@settings(deadline=None, max_examples=80)
@given(costs)
def test_hungarian_finds_the_most_pairs_at_the_lowest_cost(cost):
    rows, columns = hungarian(cost)
    count, total = best_by_trying(cost)
    assert len(rows) == count
    assert -float(cost[rows, columns].sum()) == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("assign", [hungarian, greedy])
@given(cost=costs)
def test_nobody_is_assigned_twice_and_nothing_refused_is_chosen(assign, cost):
    rows, columns = assign(cost)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (cost[rows, columns] < REFUSED).all()


def test_greedy_takes_the_cheapest_first_where_hungarian_looks_ahead():
    cost = np.array([[0.1, 0.2], [0.2, 0.9]], np.float32)
    assert dict(zip(*map(np.ndarray.tolist, greedy(cost)), strict=True)) == {0: 0, 1: 1}
    assert dict(zip(*map(np.ndarray.tolist, hungarian(cost)), strict=True)) == {0: 1, 1: 0}
