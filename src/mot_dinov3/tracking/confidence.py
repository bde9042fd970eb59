"""How confident a detector usually is, so that thresholds need no tuning per detector.

A score of 0.5 is a lot from one detector and little from another. What counts as strong is
therefore a share of the median score of recent detections.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values import FloatArray

BINS = 50
"""Cells of the histogram, each 1 / 50 of a score wide."""

MEMORY = 0.97
"""Weight of the past at each frame: about a second of video is remembered."""


class UsualConfidence:
    """The running median of detection scores."""

    def __init__(self, floor: float) -> None:
        """Begin without scores; those below `floor` will not count."""
        self.floor = floor
        self._histogram: NDArray[np.float64] = np.zeros(BINS)
        self._median = 0.0

    def observe(self, score: FloatArray) -> None:
        """Take in the scores (N,) of one frame; those below the floor do not count."""
        usual = score[score >= self.floor]
        bins = np.minimum((usual * BINS).astype(np.int64), BINS - 1)
        self._histogram = MEMORY * self._histogram + np.bincount(bins, minlength=BINS)
        total = self._histogram.cumsum()
        if total[-1]:
            self._median = (int(total.searchsorted(0.5 * total[-1])) + 0.5) / BINS

    def threshold(self, share: float) -> float:
        """The score that is `share` of the median, at least the floor."""
        return max(self.floor, share * self._median)
