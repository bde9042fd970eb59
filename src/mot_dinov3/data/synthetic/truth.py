"""What really happened in a synthetic frame, known exactly because it was drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray, IntArray, check_shapes

PERSON, VEHICLE = 0, 1
CLASS_NAMES = {PERSON: "person", VEHICLE: "vehicle"}


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Who is in a frame, where, and how much of them can be seen.

    An object that is inside the frame but wholly hidden stays, with visibility 0: its box is
    where it is, not what is left to see of it.

    Attributes:
        xyxy: (N, 4) float32, the whole silhouette's box in pixels, clipped to the frame.
        track_id: (N,) int64, from 1, one number per identity for the whole clip.
        class_id: (N,) int64, key into `CLASS_NAMES`.
        visibility: (N,) float32 in [0, 1], share of the silhouette's pixels that nothing hides:
            no other object, no occluder, not the border of the frame.
    """

    xyxy: FloatArray
    track_id: IntArray
    class_id: IntArray
    visibility: FloatArray

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        check_shapes(
            "GroundTruth",
            xyxy=(self.xyxy, (n, 4)),
            track_id=(self.track_id, (n,)),
            class_id=(self.class_id, (n,)),
            visibility=(self.visibility, (n,)),
        )

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: IntArray | BoolArray) -> GroundTruth:
        """Select rows, keeping the arrays aligned: `truth[truth.visibility > 0.5]`."""
        return GroundTruth(
            self.xyxy[rows], self.track_id[rows], self.class_id[rows], self.visibility[rows]
        )

    @classmethod
    def empty(cls) -> GroundTruth:
        """Nobody is in the picture."""
        nothing = np.empty(0, np.int64)
        return cls(np.empty((0, 4), np.float32), nothing, nothing.copy(), np.empty(0, np.float32))
