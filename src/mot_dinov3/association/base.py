"""What an association is to the tracker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.gallery import Gallery
from mot_dinov3.motion.kalman import MotionState
from mot_dinov3.motion.trajectory import Trajectory
from mot_dinov3.structures import BoolArray, Detections, Embeddings, FloatArray, IntArray, Matches


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
        trajectory: where it was really seen.
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
    trajectory: Trajectory
    gallery: Gallery

    def __len__(self) -> int:
        return len(self.state)


@dataclass(frozen=True, slots=True)
class Place:
    """N detections against T tracks by place alone; nothing is refused yet.

    Attributes:
        similarity: (N, T) float32 overlap with its refinements, what gates look at.
        cost: (N, T) float32, what assignment adds up.
    """

    similarity: FloatArray
    cost: FloatArray


@dataclass(frozen=True, slots=True)
class Scene:
    """One frame's detections with the comparisons that planning and association share.

    Attributes:
        detections: N boxes.
        iou: (N, T) float32 with the predicted boxes; 0 across classes.
        place: the same pairs, refined; similarity 0 across classes.
        eligible: (N,) bool, confident enough to be looked at: its looks may be told.
        strong: (N,) bool, confident enough to be matched first by place alone.
        fertile: (N,) bool, confident enough to start a track.
    """

    detections: Detections
    iou: FloatArray
    place: Place
    eligible: BoolArray
    strong: BoolArray
    fertile: BoolArray


class Associator(Protocol):
    """Decides which detection continues which track."""

    def compare(self, detections: Detections, view: TrackView) -> Place:
        """All pairs by place alone."""

    def associate(self, scene: Scene, embeddings: Embeddings, view: TrackView) -> Matches:
        """One frame's matches; each track and each detection at most once."""

    def place_cost(self, scene: Scene, view: TrackView) -> FloatArray:
        """(N, T) cost of every pair by place alone, `REFUSED` where no stage would take it.

        In [0, 1] for the stage that chooses first, in [1, 2) for pairs left to a later one.
        """

    def may_return(self, scene: Scene, view: TrackView, columns: IntArray) -> BoolArray:
        """(N, L) whether a detection may return as a lost track of `columns` (L,) by its looks."""
