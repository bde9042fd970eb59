"""What trajectories are: where objects were, and where a detector saw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray, check_shapes


@dataclass(frozen=True, slots=True)
class Trajectories:
    """The boxes of T objects in F frames; rows of NaN where one is absent, or was not seen.

    Attributes:
        name: of the sequence.
        fps: frames per second.
        truth: (F, T, 4) float32 xyxy in pixels, where the objects were.
        seen: (F, T, 4) float32 xyxy in pixels, where a detector saw them; `truth` itself where
            there are no detections.
        score: (F, T) float32 the detector's confidence, 0 where it saw nothing.
        detected: whether `seen` comes from a detector.
    """

    name: str
    fps: float
    truth: FloatArray
    seen: FloatArray
    score: FloatArray
    detected: bool = False

    def __post_init__(self) -> None:
        frames, objects = self.truth.shape[:2]
        check_shapes(
            "Trajectories",
            truth=(self.truth, (frames, objects, 4)),
            seen=(self.seen, (frames, objects, 4)),
            score=(self.score, (frames, objects)),
        )

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def present(self) -> BoolArray:
        """(F, T) whether each object is there."""
        return np.asarray(np.isfinite(self.truth[..., 0]), np.bool_)

    @property
    def observed(self) -> BoolArray:
        """(F, T) whether each object was seen."""
        return np.asarray(np.isfinite(self.seen[..., 0]), np.bool_)
