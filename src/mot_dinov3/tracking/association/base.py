"""What an association is to the tracker."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.tracking.gallery import Gallery
from mot_dinov3.tracking.motion.kalman import MotionState
from mot_dinov3.tracking.motion.trajectory import Trajectory
from mot_dinov3.values import (
    BoolArray,
    Detections,
    Embeddings,
    FloatArray,
    IntArray,
    Matches,
    check_shapes,
)


@dataclass(frozen=True, slots=True)
class TrackView:
    """What is known of T tracks after prediction; row i of everything is the same track.

    Attributes:
        id: (T,) int64.
        hits: (T,) int64 frames in which a detection continued it.
        xyxy: (T, 4) float32 predicted boxes.
        class_id: (T,) int64.
        state: (T,) int8, a `TrackState`.
        lost_s: (T,) float32 seconds since a detection continued it.
        away_s: (T,) float32 the same up to the frame before: 0 for whoever was there then.
        staleness: (T,) int64 frames since its last real embedding.
        motion: its filter, for gates.
        trajectory: where it was really seen, None where nobody asks for it.
        gallery: what it looked like.
    """

    id: IntArray
    hits: IntArray
    xyxy: FloatArray
    class_id: IntArray
    state: NDArray[np.int8]
    lost_s: FloatArray
    away_s: FloatArray
    staleness: IntArray
    motion: MotionState
    trajectory: Trajectory | None
    gallery: Gallery

    def __len__(self) -> int:
        return len(self.state)


@dataclass(frozen=True, slots=True)
class Near:
    """The K pairs of N detections and T tracks that touch, by place alone; nothing is refused yet.

    All other pairs have no overlap at all, and no stage takes them for their place. A detection
    of another class than the track is near only where the boxes agree very well.

    Attributes:
        rows: (K,) int64 detections, in order.
        columns: (K,) int64 tracks, in order for each detection.
        iou: (K,) float32 with the predicted boxes.
        similarity: (K,) float32 overlap with its refinements, what gates look at.
        cost: (K,) float32, what assignment adds up.
    """

    rows: IntArray
    columns: IntArray
    iou: FloatArray
    similarity: FloatArray
    cost: FloatArray

    def __post_init__(self) -> None:
        pairs = (len(self.rows),)
        check_shapes(
            "Near",
            columns=(self.columns, pairs),
            iou=(self.iou, pairs),
            similarity=(self.similarity, pairs),
            cost=(self.cost, pairs),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, pairs: BoolArray) -> Near:
        """Select pairs, keeping the arrays aligned."""
        return Near(*(getattr(self, item.name)[pairs] for item in fields(self)))

    def dearer(self, hint: FloatArray) -> Near:
        """The same pairs at costs changed by `hint` (K,)."""
        return replace(self, cost=self.cost + hint)


@dataclass(frozen=True, slots=True)
class Cheap:
    """Evidence of looks that every detection has in every frame, beside embeddings.

    Attributes:
        vectors: (N, D) float32 unit rows, NaN where it is missing.
        hint: (K,) float32, what it adds to the costs of the near pairs.
    """

    vectors: FloatArray
    hint: FloatArray


@dataclass(frozen=True, slots=True)
class Scene:
    """One frame's detections with the comparisons that planning and association share.

    Attributes:
        detections: N boxes.
        near: the pairs of them and the tracks that touch.
        eligible: (N,) bool, confident enough to be looked at: its looks may be told.
        strong: (N,) bool, confident enough to be matched first by place alone.
        fertile: (N,) bool, confident enough to start a track.
        cheap: evidence that all of them have, whose hints are in the costs of `near` already;
            None where nobody asked for it.
    """

    detections: Detections
    near: Near
    eligible: BoolArray
    strong: BoolArray
    fertile: BoolArray
    cheap: Cheap | None = None


class Associator(Protocol):
    """Decides which detection continues which track."""

    def compare(self, detections: Detections, view: TrackView) -> Near:
        """By place alone."""

    def associate(self, scene: Scene, embeddings: Embeddings, view: TrackView) -> Matches:
        """One frame's matches; each track and each detection at most once."""

    def place_cost(self, scene: Scene, view: TrackView) -> FloatArray:
        """(K,) cost of every near pair by place alone, infinity where no stage would take it.

        In [0, 1] for the stage that chooses first, in [1, 2) for pairs left to a later one.
        """

    def may_return(
        self, scene: Scene, view: TrackView, rows: IntArray, columns: IntArray
    ) -> BoolArray:
        """(n, L) whether detections `rows` may return as lost tracks `columns` by their looks."""
