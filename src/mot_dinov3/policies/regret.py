"""How sure place alone is of each detection: the best assignment, and how near the next one is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.scipy_parts import linear_sum_assignment
from mot_dinov3.structures import BoolArray, FloatArray, IntArray

ALONE = np.float32(2.0)
"""A pair that costs as much as leaving both of its sides alone is none."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """What place alone says about N detections and M tracks.

    Attributes:
        track: (N,) int64 the track that the cheapest assignment gives, -1 for none.
        regret: (N,) float32 how much dearer the cheapest exchange with a rival is; infinity where
            there is no rival.
        rival: (N,) int64 the track that the detection would have after that exchange or, where
            it keeps none, the track that it would lose; -1 where there is no rival.
    """

    track: IntArray
    regret: FloatArray
    rival: IntArray


def stakes(cost: FloatArray, eligible: BoolArray) -> Stakes:
    """Solve the assignment by place and weigh every pair against its cheapest exchange.

    Pairs that nobody contests are settled at once; what remains, the connected components of
    more than one pair, goes to the solver. The regret of a pair is the cost of the best
    assignment without it less that of the best one. Here only exchanges with one other pair, a
    free track or a detection without a track are tried: exact in components of up to two of
    each, and never too small in larger ones.

    Args:
        cost: (N, M) float32, `ALONE` or more, infinity too, where a pair is impossible.
        eligible: (N,) detections that take part.
    """
    n = len(cost)
    track, rival = np.full(n, -1), np.full(n, -1)
    regret = np.full(n, np.inf, np.float32)
    if not cost.size:
        return Stakes(track, regret, rival)
    i, j = np.nonzero((cost < ALONE) & eligible[:, None])
    per_row, per_column = np.bincount(i, minlength=n), np.bincount(j, minlength=cost.shape[1])
    lone = (per_row[i] == 1) & (per_column[j] == 1)
    track[i[lone]] = j[lone]
    i, j = i[~lone], j[~lone]
    if len(i):
        rows, columns = _distinct(i, n), _distinct(j, cost.shape[1])
        block = np.full((len(rows), len(columns)), ALONE, np.float32)
        block[np.searchsorted(rows, i), np.searchsorted(columns, j)] = cost[i, j]
        own, dearer, other = _exchanges(block)
        track[rows] = np.where(own >= 0, columns[own], -1)
        regret[rows] = dearer
        rival[rows] = np.where(np.isfinite(dearer), columns[other], -1)
    return Stakes(track, regret, rival)


def components(possible: BoolArray) -> IntArray:
    """(N,) equal numbers for detections that are connected through possible pairs (N, M).

    A number is the lowest row of its component.
    """
    n, m = possible.shape
    label, through = np.arange(n), np.full(m, n)
    i, j = np.nonzero(possible)
    while True:
        np.minimum.at(through, j, label[i])
        lower = label.copy()
        np.minimum.at(lower, i, through[j])
        if np.array_equal(lower, label):
            return label
        label = lower


def _distinct(numbers: IntArray, limit: int) -> IntArray:
    """The numbers below `limit` that occur, in order."""
    return np.flatnonzero(np.bincount(numbers, minlength=limit))


def _exchanges(block: FloatArray) -> tuple[IntArray, FloatArray, IntArray]:
    """The assignment of a block (R, C), and the cheapest exchange of every row.

    Returns:
        (R,) columns, -1 for none; (R,) what the exchange costs more, infinity where there is
        none; (R,) the column that it is about.
    """
    n_rows, n_columns = block.shape
    own = np.full(n_rows, -1)
    i, j = linear_sum_assignment(block)
    real = block[i, j] < ALONE
    i, j = i[real], j[real]
    own[i] = j
    free_row, free_column = np.ones(n_rows, np.bool_), np.ones(n_columns, np.bool_)
    free_row[i] = free_column[j] = False
    blocked = np.where(block < ALONE, block, np.float32(np.inf))
    paid = np.full(n_columns, 0.0, np.float32)
    paid[j] = block[i, j]
    change = np.full(block.shape, np.inf, np.float32)
    # Row r takes the column of the pair (i, j), which in turn takes what row r had: nothing ...
    change[free_row] = blocked[free_row] - paid
    # ... its own column, ...
    price = blocked[i][:, j] - paid[j]
    change[np.ix_(i, j)] = price + price.T
    # ... or the column was free.
    change[np.ix_(i, free_column)] = blocked[i][:, free_column] - paid[j][:, None]
    change[i, j] = np.inf
    if free_row.any():  # or it gives its column up to a row without one
        change[i, j] = (blocked[free_row][:, j] - paid[j]).min(axis=0)
    other = change.argmin(axis=1)
    return own, np.maximum(change[np.arange(n_rows), other], 0.0), other
