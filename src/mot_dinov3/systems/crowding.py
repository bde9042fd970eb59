"""A bound on boxes that lie on top of each other: every pair of them has to be compared."""

from __future__ import annotations

import numpy as np

from mot_dinov3.runtime.notices import log_notice
from mot_dinov3.values import Detections, FloatArray, IntArray
from mot_dinov3.values.boxes import sides

MOST_PAIRS = 500_000
"""Pairs of overlapping boxes in a frame: 700 boxes in one place, or any number side by side."""
STRIP = 256


class CrowdLimit:
    """Leaves out the least confident detections of frames that no real scene has.

    A detector that was made to do harm, or a damaged file of boxes, may give thousands of boxes
    in one place; the time of a frame would grow with their square. Frames with less overlap are
    handed on as they are.
    """

    def __init__(self) -> None:
        """No frame was cut yet."""
        self._said = False

    def __call__(self, detections: Detections) -> Detections:
        """The detections, or the most confident of them, in their order."""
        rows = self.choose(detections)
        return detections if len(rows) == len(detections) else detections[rows]

    def choose(self, detections: Detections) -> IntArray:
        """The rows of all detections, or of the most confident of them, in their order."""
        every = np.arange(len(detections))
        if len(detections) ** 2 <= MOST_PAIRS:
            return every
        by_score = np.argsort(-detections.score, kind="stable")
        count = count_comparable(detections.xyxy[by_score])
        if count == len(detections):
            return every
        if not self._said:
            self._said = True
            log_notice(
                "%d detections of a frame lie on top of each other: of such frames the most "
                "confident are tracked, here %d.",
                len(detections),
                count,
            )
        return np.sort(by_score[:count])


def count_comparable(xyxy: FloatArray) -> int:
    """How many of the first boxes (N, 4) have at most `MOST_PAIRS` overlapping pairs.

    A pair counts in both orders, and a box with itself, as tracks and detections are compared.
    """
    left, top, right, bottom = sides(xyxy)
    pairs = 0
    for start in range(0, len(xyxy), STRIP):
        stop = min(start + STRIP, len(xyxy))
        rows = slice(start, stop)
        cross = left[rows, None] < right[:stop]
        cross &= right[rows, None] > left[:stop]
        cross &= top[rows, None] < bottom[:stop]
        cross &= bottom[rows, None] > top[:stop]
        before = np.tril(cross, k=start - 1).sum(axis=1, dtype=np.int64)
        total = pairs + np.cumsum(2 * before + 1)
        if total[-1] > MOST_PAIRS:
            return start + int(np.searchsorted(total, MOST_PAIRS, side="right"))
        pairs = int(total[-1])
    return len(xyxy)
