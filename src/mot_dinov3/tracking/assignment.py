"""Solving an assignment: which of the possible pairs to make, at the lowest total cost.

A pair that shares neither side with another one is made at once; few pairs remain for a solver.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import lap
import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values import NO_ROWS, FloatArray, IntArray

REFUSED = 1e4
"""A cost of leaving a pair alone that no sum of real costs comes near: with it as many pairs as
possible are made."""

SPARSE_FROM = 200
"""From so many contested rows on, a solver that looks at possible pairs only is the faster one."""

Assign: TypeAlias = Callable[[IntArray, IntArray, FloatArray, float], IntArray]
"""Rows, columns and costs of possible pairs, and the cost of leaving one alone -> the pairs that
are made; see `hungarian`."""


def hungarian(rows: IntArray, columns: IntArray, cost: FloatArray, alone: float) -> IntArray:
    """The pairs with the lowest total cost (Kuhn 1955; Jonker and Volgenant 1987).

    A pair that is contested by no other belongs to every best assignment, so only the others go
    to a solver: the connected components of more than one pair.

    Args:
        rows: (K,) of the possible pairs; each pair is there once.
        columns: (K,) of the same.
        cost: (K,) below `alone`.
        alone: cost of a row that stays without a pair.

    Returns:
        Which of the K pairs were chosen, in order.
    """
    if not len(rows):
        return NO_ROWS
    alternatives = np.bincount(rows)[rows] + np.bincount(columns)[columns]
    contested = (alternatives > 2).nonzero()[0]
    if not len(contested):
        return np.arange(len(rows))
    i, j = _renumber(rows[contested]), _renumber(columns[contested])
    solve = _solve_sparse if i.max() >= SPARSE_FROM else _solve_dense
    chosen = contested[solve(i, j, cost[contested], alone)]
    lone = (alternatives == 2).nonzero()[0]
    return np.sort(np.concatenate((lone, chosen)))


def solve(cost: NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Rows and columns of the pairs of a whole (N, M) matrix at the lowest total cost, by row.

    lapx solves it, which is there in milliseconds; `scipy.optimize` takes most of a second.
    """
    column, _ = lap.lapjv(cost.astype(np.float64), extend_cost=True, return_cost=False)
    rows = (column >= 0).nonzero()[0]
    return rows, column[rows].astype(np.int64)


def greedy(rows: IntArray, columns: IntArray, cost: FloatArray, alone: float) -> IntArray:
    """The cheapest pair first, then the cheapest of what is left; same contract as `hungarian`."""
    chosen: list[int] = []
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    for pair in np.argsort(cost, kind="stable").tolist():
        row, column = int(rows[pair]), int(columns[pair])
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            chosen.append(pair)
    return np.array(sorted(chosen), np.int64)


def _renumber(numbers: IntArray) -> IntArray:
    """The same numbers without gaps: 0 for the lowest that occurs, and so on."""
    rank = np.bincount(numbers).astype(np.bool_).cumsum() - 1
    return np.asarray(rank[numbers], np.int64)


def _solve_dense(i: IntArray, j: IntArray, cost: FloatArray, alone: float) -> IntArray:
    """Which pairs are in the best assignment, by a matrix that holds all."""
    shape = int(i.max()) + 1, int(j.max()) + 1
    block = np.full(shape, alone, np.float32)
    pair = np.full(shape, -1)
    block[i, j], pair[i, j] = cost, np.arange(len(i))
    chosen = pair[solve(block)]
    return chosen[chosen >= 0]


def _solve_sparse(i: IntArray, j: IntArray, cost: FloatArray, alone: float) -> IntArray:
    """The same for many rows: every row gets a column of its own in which it is alone.

    Costs are moved to 1 and more, which changes no choice, because the solver takes 0 for none.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    n, m = int(i.max()) + 1, int(j.max()) + 1
    every = np.arange(n)
    weights = np.concatenate((cost.astype(np.float64), np.full(n, alone)))
    weights += 1.0 - weights.min()
    places = np.concatenate((i, every)), np.concatenate((j, m + every))
    graph = csr_array((weights, places), shape=(n, m + n))
    _, given = min_weight_full_bipartite_matching(graph)
    return np.flatnonzero(given[i] == j)
