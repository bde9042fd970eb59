from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment

from mot_dinov3.tracking import assignment as assigning
from mot_dinov3.tracking.assignment import REFUSED, greedy, hungarian

costs = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, REFUSED]),
)


def assigned(assign, cost, alone=REFUSED):
    """Rows and columns that an assignment chose of the pairs of a matrix below `alone`."""
    rows, columns = (cost < alone).nonzero()
    chosen = assign(rows, columns, cost[rows, columns], alone)
    assert (np.diff(chosen) > 0).all()
    return rows[chosen], columns[chosen]


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
    rows, columns = assigned(hungarian, cost)
    count, total = best_by_trying(cost)
    assert len(rows) == count
    assert -float(cost[rows, columns].sum()) == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("assign", [hungarian, greedy])
@given(cost=costs)
def test_nobody_is_assigned_twice_and_nothing_refused_is_chosen(assign, cost):
    rows, columns = assigned(assign, cost)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (cost[rows, columns] < REFUSED).all()


def test_greedy_takes_the_cheapest_first_where_hungarian_looks_ahead():
    cost = np.array([[0.1, 0.2], [0.2, 0.9]], np.float32)
    assert dict(zip(*map(np.ndarray.tolist, assigned(greedy, cost)), strict=True)) == {0: 0, 1: 1}
    assert dict(zip(*map(np.ndarray.tolist, assigned(hungarian, cost)), strict=True)) == {
        0: 1,
        1: 0,
    }


def sparse_costs(rng, n, m, share):
    """A matrix in which few pairs are possible, so that it falls into many components."""
    cost = rng.uniform(-0.1, 1.0, (n, m)).astype(np.float32)
    cost[rng.random((n, m)) > share] = REFUSED
    return cost


@pytest.mark.parametrize("solver", ["by a matrix", "by possible pairs"])
@pytest.mark.parametrize("alone", [0.5, 0.8, REFUSED])
def test_solving_what_is_contested_alone_is_solving_everything(monkeypatch, solver, alone):
    """The whole matrix in one piece, with the price of being alone where no pair is possible."""
    monkeypatch.setattr(assigning, "SPARSE_FROM", 0 if solver == "by possible pairs" else 10**9)
    rng = np.random.default_rng(1)
    for _ in range(60):
        n, m = rng.integers(1, 40, 2)
        cost = sparse_costs(rng, n, m, rng.uniform(0, 4 / m))
        i, j = linear_sum_assignment(np.minimum(cost, np.float32(alone)))
        made = cost[i, j] < alone
        rows, columns = assigned(hungarian, cost, alone)
        assert rows.tolist() == i[made].tolist()
        assert columns.tolist() == j[made].tolist()


def test_a_crowd_is_solved_by_possible_pairs_as_by_a_matrix(monkeypatch):
    rng = np.random.default_rng(2)
    cost = sparse_costs(rng, 400, 380, 0.01)
    by_pairs = assigned(hungarian, cost, 0.8)
    monkeypatch.setattr(assigning, "SPARSE_FROM", 10**9)
    for found, wanted in zip(by_pairs, assigned(hungarian, cost, 0.8), strict=True):
        assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (5, 9), (9, 5), (0, 3), (3, 0), (60, 80)])
def test_a_whole_matrix_is_solved_as_scipy_solves_it(shape):
    cost = np.random.default_rng(1).random(shape, np.float32)
    for matrix in (cost, -cost, (1000 * cost).astype(np.int64)):
        ours, theirs = assigning.solve(matrix), linear_sum_assignment(matrix)
        assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


def test_equal_costs_give_as_many_pairs_at_the_same_cost():
    rng = np.random.default_rng(2)
    for _ in range(200):
        cost = rng.choice([0.2, 0.5, 0.8], tuple(rng.integers(1, 30, 2))).astype(np.float32)
        ours, theirs = assigning.solve(cost), linear_sum_assignment(cost)
        assert len(ours[0]) == len(theirs[0])
        assert cost[ours].sum() == pytest.approx(cost[theirs].sum(), abs=1e-4)
