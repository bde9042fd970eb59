"""What a cloud of points says: the best of it, what it recovers, and what it gives at a share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from mot_dinov3.lab.recordings.policies import ORACLE
from mot_dinov3.lab.recordings.study import CEILING, FLOOR, Point

LEAST_GAP = 0.5
"""Points of quality between `never` and `always` from which a recovery means something."""


def pareto(points: Iterable[Point], cost: Callable[[Point], float]) -> list[Point]:
    """The points that no other one beats in cost and quality, cheapest first.

    Of equal points the first stays. The oracle bounds the front and is no part of it.
    """
    out: list[Point] = []
    real = [point for point in points if point.case.family != ORACLE]
    for point in sorted(real, key=lambda item: (cost(item), -item.quality)):
        if not out or point.quality > out[-1].quality:
            out.append(point)
    return out


def ends(points: Sequence[Point]) -> tuple[float, float]:
    """The quality of `never` and of `always` among the points of one source."""
    by_case = {point.case: point.quality for point in points}
    return by_case[FLOOR], by_case[CEILING]


def recovery(point: Point, floor: float, ceiling: float) -> float | None:
    """(policy - never) / (always - never) in percent; None where there is no gap to recover."""
    if ceiling - floor < LEAST_GAP:
        return None
    return round(100 * (point.quality - floor) / (ceiling - floor), 2)


def families(points: Iterable[Point]) -> dict[str, list[Point]]:
    """Policy without argument, with or without cheap evidence -> its points, in order."""
    out: dict[str, list[Point]] = {}
    for point in points:
        out.setdefault(point.case.line, []).append(point)
    return out


def quality_at(points: Sequence[Point], share: float) -> float | None:
    """What a family reaches with that share of the crops, in the family's own quality.

    Linear between the neighbours on the family's front; beyond its dearest point that point
    stands, as nobody has to spend more. None below its cheapest point: nothing is guessed there.
    """
    line = _own_front(points)
    if not line or share < line[0].share:
        return None
    shares = [point.share for point in line]
    return round(float(np.interp(share, shares, [point.quality for point in line])), 3)


def _own_front(points: Sequence[Point]) -> list[Point]:
    out: list[Point] = []
    for point in sorted(points, key=lambda item: (item.share, -item.quality)):
        if not out or point.quality > out[-1].quality:
            out.append(point)
    return out
