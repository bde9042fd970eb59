"""How sure place alone is of each detection: the best assignment, and how near the next one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mot_dinov3.tracking.assignment import hungarian
from mot_dinov3.values import BoolArray, FloatArray, IntArray
from mot_dinov3.values.boxes import split_places

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


def weigh_stakes(cost: FloatArray, eligible: BoolArray) -> Stakes:
    """Solve the assignment by place and weigh every pair against its cheapest exchange.

    The regret of a pair is the cost of the best assignment without it less that of the best one.
    Here only exchanges with one other pair, a free track or a detection without a track are
    tried: exact in components of up to two of each, and never too small in larger ones.

    Args:
        cost: (N, M) float32, `ALONE` or more, infinity too, where a pair is impossible.
        eligible: (N,) detections that take part.
    """
    n, m = cost.shape
    possible = cost < ALONE
    possible &= eligible[:, None]
    i, j = split_places(possible.ravel().nonzero()[0], m)
    price = cost[i, j]
    made = hungarian(i, j, price, float(ALONE))
    track, holder, paid = np.full(n, -1), np.full(m, -1), np.zeros(m, np.float32)
    track[i[made]], holder[j[made]], paid[j[made]] = j[made], i[made], price[made]
    change = _price_exchanges(cost, i, j, Settled(track, holder, paid))
    regret, rival = np.full(n, np.inf, np.float32), np.full(n, -1)
    np.minimum.at(regret, i, change)
    cheapest = ((change == regret[i]) & (change < np.inf)).nonzero()[0][::-1]
    rival[i[cheapest]] = j[cheapest]
    return Stakes(track, np.maximum(regret, 0.0), rival)


class Settled(NamedTuple):
    """An assignment of N detections and M tracks.

    Attributes:
        track: (N,) of each detection, -1 for none.
        holder: (M,) the detection of each track, -1 for none.
        paid: (M,) float32 what the track costs it, 0 for none.
    """

    track: IntArray
    holder: IntArray
    paid: FloatArray


def _price_exchanges(cost: FloatArray, i: IntArray, j: IntArray, settled: Settled) -> FloatArray:
    """(K,) what it costs more if row `i` takes column `j` from whoever has it, for pairs (K,)."""
    track, holder, paid = settled
    own, other = track[i], holder[j]
    change = cost[i, j] - paid[j]
    # Whoever had the column gets what the row had: nothing ...
    alone, free, kept = own < 0, other < 0, other == i
    # ... its own column, ...
    swap = (~(alone | free | kept)).nonzero()[0]
    back = cost[other[swap], own[swap]]
    change[swap] += np.where(back < ALONE, back - paid[own[swap]], np.float32(np.inf))
    # ... or the column was free.
    moved = (free & ~alone).nonzero()[0]
    change[moved] -= paid[own[moved]]
    # A pair that is kept is in danger only from rows without a column.
    threat = np.full(len(paid), np.inf, np.float32)
    np.minimum.at(threat, j[alone], change[alone])
    change[kept] = threat[j[kept]]
    return change


def label_components(possible: BoolArray) -> IntArray:
    """(N,) equal numbers for detections that are connected through possible pairs (N, M).

    A number is the lowest row of its component.
    """
    n, m = possible.shape
    label, through = np.arange(n), np.full(m, n)
    i, j = split_places(possible.ravel().nonzero()[0], m)
    while True:
        np.minimum.at(through, j, label[i])
        lower = label.copy()
        np.minimum.at(lower, i, through[j])
        if (lower == label).all():
            return label
        label = lower
