"""How sure place alone is of each detection: the best assignment, and how near the next one is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.boxes import divided
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
    n, m = cost.shape
    track, rival = np.full(n, -1), np.full(n, -1)
    regret = np.full(n, np.inf, np.float32)
    possible = cost < ALONE
    possible &= eligible[:, None]
    i, j = divided(possible.ravel().nonzero()[0], m)
    per_row, per_column = np.bincount(i, minlength=n), np.bincount(j, minlength=m)
    alternatives = per_row[i] + per_column[j]
    lone, contested = (alternatives == 2).nonzero()[0], (alternatives > 2).nonzero()[0]
    track[i[lone]] = j[lone]
    if len(contested):
        i, j = i[contested], j[contested]
        in_row, in_column = np.zeros(n, np.bool_), np.zeros(m, np.bool_)
        in_row[i] = in_column[j] = True
        rows, columns = in_row.nonzero()[0], in_column.nonzero()[0]
        block = np.full((len(rows), len(columns)), np.inf, np.float32)
        block[in_row.cumsum()[i] - 1, in_column.cumsum()[j] - 1] = cost[i, j]
        own, dearer, other = _exchanges(block)
        track[rows] = np.where(own >= 0, columns[own], -1)
        regret[rows] = dearer
        rival[rows] = np.where(dearer < np.inf, columns[other], -1)
    return Stakes(track, regret, rival)


def components(possible: BoolArray) -> IntArray:
    """(N,) equal numbers for detections that are connected through possible pairs (N, M).

    A number is the lowest row of its component.
    """
    n, m = possible.shape
    label, through = np.arange(n), np.full(m, n)
    i, j = divided(possible.ravel().nonzero()[0], m)
    while True:
        np.minimum.at(through, j, label[i])
        lower = label.copy()
        np.minimum.at(lower, i, through[j])
        if (lower == label).all():
            return label
        label = lower


def _exchanges(block: FloatArray) -> tuple[IntArray, FloatArray, IntArray]:
    """The assignment of a block (R, C), and the cheapest exchange of every row.

    Returns:
        (R,) columns, -1 for none; (R,) what the exchange costs more, infinity where there is
        none; (R,) the column that it is about.
    """
    n_rows, n_columns = block.shape
    own = np.full(n_rows, -1)
    i, j = linear_sum_assignment(np.minimum(block, ALONE))
    price = block[i, j]
    real = (price < ALONE).nonzero()[0]
    i, j, price = i[real], j[real], price[real]
    own[i] = j
    free_row, free_column = np.ones(n_rows, np.bool_), np.ones(n_columns, np.bool_)
    free_row[i] = free_column[j] = False
    paid = np.zeros(n_columns, np.float32)
    paid[j] = price
    # Row r takes the column of the pair (i, j), which in turn takes what row r had: nothing ...
    change = block - paid
    # ... its own column, ...
    swap = change[i[:, None], j]
    change[i] -= price[:, None]
    # ... or the column was free.
    change[i[:, None], j] = swap + swap.T
    change[i, j] = np.inf
    if free_row.any():  # or it gives its column up to a row without one
        change[i, j] = change[free_row][:, j].min(axis=0)
    other = change.argmin(axis=1)
    return own, np.maximum(change[np.arange(n_rows), other], 0.0), other
