"""Solving a cost matrix: who gets whom, at the lowest price."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.optimize import linear_sum_assignment

from mot_dinov3.structures import NO_ROWS, FloatArray, IntArray

REFUSED = np.float32(1e4)
"""The cost of a pair that a gate refused; no sum of real costs comes near it."""

Assign: TypeAlias = Callable[[FloatArray], tuple[IntArray, IntArray]]


def hungarian(cost: FloatArray) -> tuple[IntArray, IntArray]:
    """The pairs with the lowest total cost (Kuhn 1955; scipy's Jonker-Volgenant solver).

    Args:
        cost: (N, M), `REFUSED` where a pair is impossible.

    Returns:
        Rows and columns of the chosen pairs, refused ones left out.
    """
    if not cost.size:
        return NO_ROWS, NO_ROWS
    rows, columns = linear_sum_assignment(cost)
    possible = cost[rows, columns] < REFUSED
    return rows[possible].astype(np.int64), columns[possible].astype(np.int64)


def greedy(cost: FloatArray) -> tuple[IntArray, IntArray]:
    """The cheapest pair first, then the cheapest of what is left; same contract as `hungarian`."""
    candidates = np.flatnonzero(cost < REFUSED)
    order = candidates[np.argsort(cost.ravel()[candidates], kind="stable")]
    row_free, column_free = np.ones(cost.shape[0], bool), np.ones(cost.shape[1], bool)
    chosen: list[tuple[int, int]] = []
    for row, column in zip(*np.unravel_index(order, cost.shape), strict=True):
        if row_free[row] and column_free[column]:
            row_free[row] = column_free[column] = False
            chosen.append((int(row), int(column)))
    pairs = np.array(chosen, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
