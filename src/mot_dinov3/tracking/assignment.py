"""Solving an assignment: who gets whom, at the lowest price, given the pairs that are possible.

Pairs that nobody contests are settled at once; what remains is a small part of all pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from mot_dinov3.runtime.scipy_parts import linear_sum_assignment
from mot_dinov3.values import NO_ROWS, FloatArray, IntArray

REFUSED = 1e4
"""Price of leaving two alone that no sum of real costs comes near: as many pairs as possible."""

SPARSE_FROM = 200
"""With so many contested rows a solver that looks at possible pairs only is the faster one."""

Assign: TypeAlias = Callable[[IntArray, IntArray, FloatArray, float], IntArray]


def hungarian(rows: IntArray, columns: IntArray, cost: FloatArray, alone: float) -> IntArray:
    """The pairs with the lowest total cost (Kuhn 1955; scipy's Jonker-Volgenant solvers).

    A pair that is contested by no other belongs to every best assignment, so only the others go
    to a solver: the connected components of more than one pair.

    Args:
        rows: (K,) of the possible pairs; each pair is there once.
        columns: (K,) of the same.
        cost: (K,) below `alone`.
        alone: price of a row that stays without a pair.

    Returns:
        Which of the K pairs were chosen, in order.
    """
    if not len(rows):
        return NO_ROWS
    alternatives = np.bincount(rows)[rows] + np.bincount(columns)[columns]
    contested = (alternatives > 2).nonzero()[0]
    if not len(contested):
        return np.arange(len(rows))
    i, j = _numbered(rows[contested]), _numbered(columns[contested])
    solve = _sparse if i.max() >= SPARSE_FROM else _dense
    chosen = contested[solve(i, j, cost[contested], alone)]
    lone = (alternatives == 2).nonzero()[0]
    return np.sort(np.concatenate((lone, chosen)))


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


def _numbered(numbers: IntArray) -> IntArray:
    """The same numbers without gaps: 0 for the lowest that occurs, and so on."""
    rank: IntArray = np.bincount(numbers).astype(np.bool_).cumsum() - 1
    return rank[numbers]


def _dense(i: IntArray, j: IntArray, cost: FloatArray, alone: float) -> IntArray:
    """Which pairs are in the best assignment, by a matrix that holds all."""
    shape = int(i.max()) + 1, int(j.max()) + 1
    block = np.full(shape, alone, np.float32)
    pair = np.full(shape, -1)
    block[i, j], pair[i, j] = cost, np.arange(len(i))
    chosen: IntArray = pair[linear_sum_assignment(block)]
    return chosen[chosen >= 0]


def _sparse(i: IntArray, j: IntArray, cost: FloatArray, alone: float) -> IntArray:
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
    chosen: IntArray = (given[i] == j).nonzero()[0]
    return chosen
