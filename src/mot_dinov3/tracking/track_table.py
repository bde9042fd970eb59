"""What a tracker keeps of the life of every identity."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    REMOVED,
    TENTATIVE,
    BoolArray,
    FloatArray,
    IntArray,
)

GAP_STEPS = 4
"""A step is a gap in time only if it is so many times as long as the one before: in a source of a
frame every other second nobody is lost in between."""


@dataclass(slots=True)
class Lives:
    """One row per identity; the arrays stay aligned with the motion filters and the gallery.

    Attributes:
        id: from 1, never reused.
        class_id: what its detections said in the long run.
        class_weight: how surely they said so.
        score: confidence of the last detection.
        state: a `TrackState`.
        hits: matched frames in all.
        misses: unmatched frames in a row.
        lost_s: seconds since a detection continued it.
        staleness: frames since its last real embedding.
        detection: its row in this frame, -1 for none.
        fresh: an embedding was computed for it in this frame.
    """

    id: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    class_id: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    class_weight: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    score: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    state: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    hits: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    misses: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    lost_s: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    staleness: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    detection: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    fresh: BoolArray = field(default_factory=lambda: np.empty(0, np.bool_))

    def __len__(self) -> int:
        return len(self.id)

    def keep(self, rows: BoolArray) -> None:
        """Drop every identity that is not in `rows`."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name)[rows])

    def extend(self, **columns: NDArray[np.generic]) -> None:
        """Append identities: every column by its name."""
        for name, values in columns.items():
            setattr(self, name, np.concatenate((getattr(self, name), values)))

    def lose_all(self, gap_s: float) -> None:
        """Nobody was looked at for `gap_s`: who was there is lost, who was not sure yet is gone."""
        self.state[self.state == TENTATIVE] = REMOVED
        self.state[self.state == CONFIRMED] = LOST
        self.lost_s += np.float32(gap_s)


class FrameSteps:
    """The seconds from frame to frame.

    Attributes:
        time_s: of the latest frame, 0 before the first.
        step_s: from the frame before to the latest; a usual one before there are two.
    """

    def __init__(self, usual_s: float) -> None:
        self.time_s, self.step_s = 0.0, usual_s
        self._before_s = math.inf
        self._frames = 0

    def advance(self, time_s: float) -> float:
        """Go on to the next frame; returns the step."""
        self._frames += 1
        if self._frames > 1:
            self._before_s = self.step_s if self._frames > 2 else math.inf
            self.step_s = max(time_s - self.time_s, 1e-6)
        self.time_s = time_s
        return self.step_s

    def skipped(self, most_s: float) -> bool:
        """Whether the latest step is a gap of more than `most_s` in frames that came faster."""
        return self.step_s > max(most_s, GAP_STEPS * self._before_s)
