"""What an association is to the tracker."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.tracking.appearance_scale import AppearanceScale
from mot_dinov3.tracking.gallery import Gallery
from mot_dinov3.tracking.motion.base import MotionModel
from mot_dinov3.tracking.trajectory import Trajectory
from mot_dinov3.values import (
    BoolArray,
    Detections,
    Embeddings,
    FloatArray,
    IntArray,
    Matches,
    check_shapes,
)

FIRST_STAGE, NO_PAIR = 1.0, 2.0
"""The scale of `Associator.place_cost`: a pair of the stage that chooses first costs less than
`FIRST_STAGE`, one that is left to a later stage less than `NO_PAIR`."""


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
        away_s: (T,) float32 the same up to the frame before: 0 for a track that was seen then.
        staleness: (T,) int64 frames since its last real embedding.
        disputed: (T,) bool, arbitration waits for a good crop of it.
        motion: the motion model, for gates.
        trajectory: where it was really seen, None where neither association nor motion needs it.
        gallery: its stored embeddings.
        memory_s: (T,) float32 seconds since its last real embedding.
        scale: what cosines with its gallery mean.
    """

    id: IntArray
    hits: IntArray
    xyxy: FloatArray
    class_id: IntArray
    state: NDArray[np.int8]
    lost_s: FloatArray
    away_s: FloatArray
    staleness: IntArray
    disputed: BoolArray
    motion: MotionModel
    trajectory: Trajectory | None
    gallery: Gallery
    memory_s: FloatArray
    scale: AppearanceScale

    def __len__(self) -> int:
        return len(self.state)


@dataclass(frozen=True, slots=True)
class NearPairs:
    """The K pairs of N detections and T tracks that touch, by place alone, before any gate.

    All other pairs have no overlap at all, and no stage takes them for their place. A detection
    of another class than the track is near only where the boxes agree very well.

    Attributes:
        rows: (K,) int64 detections, in order.
        columns: (K,) int64 tracks, in order for each detection.
        iou: (K,) float32 with the predicted boxes.
        overlap: (K,) float32 in [0, 1], `iou` with its refinements: what gates look at.
        cost: (K,) float32, what assignment adds up.
    """

    rows: IntArray
    columns: IntArray
    iou: FloatArray
    overlap: FloatArray
    cost: FloatArray

    def __post_init__(self) -> None:
        pairs = (len(self.rows),)
        check_shapes(
            "NearPairs",
            columns=(self.columns, pairs),
            iou=(self.iou, pairs),
            overlap=(self.overlap, pairs),
            cost=(self.cost, pairs),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, pairs: BoolArray) -> NearPairs:
        """Select pairs, keeping the arrays aligned."""
        return NearPairs(*(getattr(self, item.name)[pairs] for item in fields(self)))

    def add_cost(self, change: FloatArray) -> NearPairs:
        """The same pairs at costs changed by `change` (K,)."""
        return replace(self, cost=self.cost + change)


@dataclass(frozen=True, slots=True)
class CheapEvidence:
    """Evidence of appearance that every detection has in every frame, beside embeddings.

    Attributes:
        vectors: (N, D) float32 unit rows, NaN where it is missing.
        added_cost: (K,) float32, what it adds to the costs of the near pairs.
    """

    vectors: FloatArray
    added_cost: FloatArray


@dataclass(frozen=True, slots=True)
class Comparison:
    """One frame's detections with the comparisons that planning and association share.

    Attributes:
        detections: N boxes.
        near: the pairs of them and the tracks that touch.
        eligible: (N,) bool, confident enough to be embedded.
        strong: (N,) bool, confident enough to be matched first by place alone.
        fertile: (N,) bool, confident enough to start a track.
        cheap: evidence that all of them have, which is in the costs of `near` already; None
            without `--cheap-evidence`.
    """

    detections: Detections
    near: NearPairs
    eligible: BoolArray
    strong: BoolArray
    fertile: BoolArray
    cheap: CheapEvidence | None = None


class Associator(Protocol):
    """Decides which detection continues which track.

    It is built from the association settings and the tracker's, which tell how long lost tracks
    matter.
    """

    def compare(self, detections: Detections, view: TrackView) -> NearPairs:
        """Find the pairs that touch, and compare them by place alone."""

    def associate(self, comparison: Comparison, embeddings: Embeddings, view: TrackView) -> Matches:
        """Match one frame's detections with the tracks, each of both at most once."""

    def place_cost(self, comparison: Comparison, view: TrackView) -> FloatArray:
        """(K,) cost of every near pair by place alone, infinity where no stage would take it.

        Below `FIRST_STAGE` for the stage that chooses first, and from there to `NO_PAIR` for pairs
        left to a later one.
        """

    def may_return(
        self, comparison: Comparison, view: TrackView, rows: IntArray, columns: IntArray
    ) -> BoolArray:
        """Which detections may return as which lost tracks if only they look alike.

        Args:
            comparison: the frame.
            view: its prediction.
            rows: (n,) detections.
            columns: (L,) tracks.

        Returns:
            (n, L) bool.
        """
