"""What really happened in a synthetic frame, known exactly because it was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values import BoolArray, FloatArray, IntArray, check_shapes

PERSON, VEHICLE = 0, 1
CLASS_NAMES = {PERSON: "person", VEHICLE: "vehicle"}

MOT_PEDESTRIAN, MOT_CAR = 1, 3
"""Class numbers of MOTChallenge."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Which objects are in a frame, where, and how much of them can be seen.

    An object that is inside the frame but wholly hidden stays, with visibility 0: its box is
    where it is, not what is left to see of it.

    Attributes:
        xyxy: (N, 4) float32, the whole silhouette's box in pixels, clipped to the frame.
        track_id: (N,) int64, from 1, one number per object for the whole clip.
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
        """An empty picture; the shapes stay valid."""
        nothing = np.empty(0, np.int64)
        return cls(np.empty((0, 4), np.float32), nothing, nothing.copy(), np.empty(0, np.float32))


def as_table(frames: Sequence[GroundTruth]) -> MotTable:
    """The ground truth of consecutive frames as MOT rows; classes get their MOT numbers."""
    known = [GroundTruth.empty(), *frames]
    class_id = np.concatenate([truth.class_id for truth in known])
    return MotTable(
        frame_index=np.repeat(np.arange(len(frames)), [len(truth) for truth in frames]),
        track_id=np.concatenate([truth.track_id for truth in known]),
        xyxy=np.concatenate([truth.xyxy for truth in known]),
        score=np.ones(len(class_id), np.float32),
        class_id=np.where(class_id == PERSON, MOT_PEDESTRIAN, MOT_CAR),
        visibility=np.concatenate([truth.visibility for truth in known]),
    )
