"""How sure place alone is of each detection: the best assignment, and how near the next one is.

Two detections and two tracks with these costs by place::

                  track 0   track 1
    detection 0      .2        .5
    detection 1      .4        .3

The best assignment is 0-0 and 1-1 for .5 in all. If the detections changed places it would be .9,
so both regret .4. With track 0 alone, detection 0 would have it for .2 and detection 1 none; if
they changed places it would be .4, so both regret .2. A small regret is an ambiguity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mot_dinov3.tracking.assignment import hungarian
from mot_dinov3.tracking.association.base import NO_PAIR
from mot_dinov3.values import BoolArray, FloatArray, IntArray
from mot_dinov3.values.boxes import split_places

ALONE = np.float32(NO_PAIR)
"""What it costs to leave a detection and a track alone: a pair at this cost is not made."""


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


class Assignment(NamedTuple):
    """An assignment of N detections and M tracks.

    Attributes:
        track: (N,) the track of each detection, -1 for none.
        holder: (M,) the detection of each track, -1 for none.
        paid: (M,) float32 what the track costs its holder, 0 for none.
    """

    track: IntArray
    holder: IntArray
    paid: FloatArray


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

    change = _price_exchanges(cost, i, j, Assignment(track, holder, paid))
    regret, rival = np.full(n, np.inf, np.float32), np.full(n, -1)
    np.minimum.at(regret, i, change)
    # Of several pairs at the same price the first is the rival, so it is written last.
    cheapest = ((change == regret[i]) & (change < np.inf)).nonzero()[0][::-1]
    rival[i[cheapest]] = j[cheapest]
    return Stakes(track, np.maximum(regret, 0.0), rival)


def _price_exchanges(cost: FloatArray, i: IntArray, j: IntArray, best: Assignment) -> FloatArray:
    """How much more it costs if a detection takes a track from the one that holds it.

    Args:
        cost: (N, M) of all pairs.
        i: (K,) the detections of the possible pairs.
        j: (K,) their tracks.
        best: the cheapest assignment.

    Returns:
        (K,) float32, for each of the pairs. For one that is in the best assignment already it is
        the price of losing the track to a detection that has none; infinity if there is none.
    """
    track, holder, paid = best
    own, other = track[i], holder[j]
    alone, free, kept = own < 0, other < 0, other == i
    # Detection i pays for track j instead of its holder. If i had no track, the holder gets none.
    change = cost[i, j] - paid[j]
    # If i had a track, the holder takes that one in exchange, where it can.
    swap = (~(alone | free | kept)).nonzero()[0]
    back = cost[other[swap], own[swap]]
    change[swap] += np.where(back < ALONE, back - paid[own[swap]], np.float32(np.inf))
    # If track j was free, i leaves its own track and pays for that no more.
    moved = (free & ~alone).nonzero()[0]
    change[moved] -= paid[own[moved]]
    # A pair that exists can only be lost to a detection without a track; what it loses to others
    # is counted with the pair that it would have then.
    threat = np.full(len(paid), np.inf, np.float32)
    np.minimum.at(threat, j[alone], change[alone])
    change[kept] = threat[j[kept]]
    return change


def label_components(possible: BoolArray) -> IntArray:
    """(N,) equal numbers for detections that are connected through possible pairs (N, M).

    A number is the lowest row of its component. Numbers spread from detections to tracks and back,
    the lower one winning, until nothing changes.
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
