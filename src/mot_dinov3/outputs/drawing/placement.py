"""Places for labels around their boxes, so that they do not cover each other.

Every label has the same few places to choose from, nearest first. Labels choose one after another,
those of older tracks first: what was there keeps its place, and what is new goes around it. A
label stays where it was as long as that place is free, so that it does not jump.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.drawing.styles import Box
from mot_dinov3.values.tracks import rename_entries

Rows = NDArray[np.int32]

STEPS = 5
"""Heights of a label by which it may stand off its box."""
BONUS = 2.0
"""How many steps away a place may be before a free nearer one is taken instead."""
MARGIN = 0.2
"""Room around a place that is newly taken, as a share of the height of the label."""
COVERED = 1000.0
"""Cost of a place that other labels cover wholly, so that any free place is better."""
MOST_KEPT = 4096


def _list_places() -> tuple[tuple[float, float, float, float, float], ...]:
    """(x of box width, x of label width, y of box height, y of label height, cost) of each place.

    The first two add up to the left edge of the label seen from that of the box, the next two to
    its upper edge seen from that of the box.
    """
    near = [
        (0, 0, 0, -1, 0.0),
        (1, -1, 0, -1, 1.0),
        (0.5, -0.5, 0, -1, 1.0),
        (0, 0, 0, 0, 1.5),
        (0, 0, 1, 0, 2.0),
        (1, -1, 1, 0, 2.0),
        (1, 0, 0, 0, 2.5),
        (0, -1, 0, 0, 2.5),
        (1, 0, 0, -1, 2.5),
        (0, -1, 0, -1, 2.5),
        (1, 0, 1, -1, 3.0),
        (0, -1, 1, -1, 3.0),
    ]
    far = []
    for step in range(1, STEPS):
        cost = 3.0 + step
        sides = ((0, 0), (1, -1), (1, 0), (0, -1))
        far += [(*x, 0, -1.15 * step - 1, cost + 0.2 * n) for n, x in enumerate(sides)]
        far += [(*x, 1, 1.15 * step, cost + 0.5 + 0.2 * n) for n, x in enumerate(sides)]
    return (*near, *far)


PLACES = np.array(_list_places(), np.float64)
NEAR = 12
"""Places from this one on do not touch the box."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a label stands.

    Attributes:
        left: of the label, pixels.
        top: of the label, pixels.
        is_far: it does not touch its box.
    """

    left: int
    top: int
    is_far: bool


class LabelPlacer:
    """Finds a place for every label of a frame and remembers it for the next one."""

    def __init__(self) -> None:
        self._kept: dict[int, int] = {}

    def place(
        self,
        labels: list[tuple[int, Box, tuple[int, int]]],
        room: tuple[int, int],
        taken: list[Box],
    ) -> list[Place]:
        """Place the labels of a frame.

        Args:
            labels: of each its identity, its box, and its width and height; the first ones
                choose first.
            room: width and height of the picture; a label that fits is never cut.
            taken: what else labels must not cover, xyxy.

        Returns:
            A place for each label, in their order.
        """
        if not labels:
            return []
        boxes = np.array([box for _, box, _ in labels], np.float64)
        sizes = np.array([size for _, _, size in labels], np.float64)
        spots = self._spots(boxes, sizes, room)
        covered = np.empty((len(taken) + len(labels), 4), np.int32)
        covered[: len(taken)] = np.array(taken, np.int32).reshape(-1, 4)
        out, used = [], len(taken)
        for number, (identity, _, _) in enumerate(labels):
            chosen = self._choose(identity, spots[number], covered[:used])
            covered[used] = spots[number, chosen]
            used += 1
            self._kept[identity] = chosen
            left, top = spots[number, chosen, :2].tolist()
            out.append(Place(left, top, chosen >= NEAR))
        if len(self._kept) > MOST_KEPT:
            now = {identity for identity, _, _ in labels}
            self._kept = {i: chosen for i, chosen in self._kept.items() if i in now}
        return out

    def hand_on(self, new_of: Mapping[int, int]) -> None:
        """Let labels keep their places under other identities.

        Args:
            new_of: former identity -> the new one.
        """
        rename_entries(self._kept, new_of)

    @staticmethod
    def _spots(
        boxes: NDArray[np.float64], sizes: NDArray[np.float64], room: tuple[int, int]
    ) -> Rows:
        """(N, K, 4) xyxy of every place of every label, moved into the picture."""
        wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        left = boxes[:, :1] + np.outer(wide, PLACES[:, 0]) + np.outer(sizes[:, 0], PLACES[:, 1])
        top = boxes[:, 1:2] + np.outer(high, PLACES[:, 2]) + np.outer(sizes[:, 1], PLACES[:, 3])
        left = np.clip(left, 0, np.maximum(room[0] - sizes[:, :1], 0))
        top = np.clip(top, 0, np.maximum(room[1] - sizes[:, 1:], 0))
        corners = (left, top, left + sizes[:, :1], top + sizes[:, 1:])
        return np.rint(np.stack(corners, axis=2)).astype(np.int32)

    def _choose(self, identity: int, spots: Rows, covered: Rows) -> int:
        """The cheapest place of one label."""
        kept, stay = self._kept.get(identity), 0.0
        if kept is not None:
            stay = float(_overlaps(spots[kept : kept + 1], covered, 0)[0])
            if kept < NEAR and not stay:
                return kept
        margin = round(MARGIN * int(spots[0, 3] - spots[0, 1]))
        cost = PLACES[:, 4] + COVERED * _overlaps(spots, covered, margin)
        if kept is not None:
            cost[kept] = PLACES[kept, 4] - BONUS + COVERED * stay
        return int(cost.argmin())


def _overlaps(spots: Rows, covered: Rows, margin: int) -> NDArray[np.float64]:
    """(K,) share of each spot that is covered, summed over what covers it.

    Args:
        spots: (K, 4) xyxy.
        covered: (M, 4) xyxy.
        margin: pixels that are added around a spot.
    """
    left, top, right, bottom = spots.T[:, :, None]
    wide = np.minimum(right + margin, covered[:, 2]) - np.maximum(left - margin, covered[:, 0])
    high = np.minimum(bottom + margin, covered[:, 3]) - np.maximum(top - margin, covered[:, 1])
    shared = (np.maximum(wide, 0) * np.maximum(high, 0)).sum(axis=1)
    area = int(right[0, 0] - left[0, 0] + 2 * margin) * int(bottom[0, 0] - top[0, 0] + 2 * margin)
    return np.asarray(shared / max(area, 1), np.float64)
