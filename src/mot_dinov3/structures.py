"""The values that travel between rooms: frozen structs of aligned numpy arrays.

Boxes are `xyxy` in pixels of the source frame, images are BGR, frame indices start at 0.
Every struct checks its shapes at birth, and `empty()` keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
Image: TypeAlias = NDArray[np.uint8]

NO_ROWS: IntArray = np.empty(0, np.int64)


class TrackState(IntEnum):
    """The life of a track; values are what `Tracks.state` stores."""

    TENTATIVE = 0
    CONFIRMED = 1
    LOST = 2
    REMOVED = 3


class Reason(IntEnum):
    """Why a detection got its fate in an `EmbedPlan`.

    Reused: STABLE continues a track whose embedding is recent enough; LOW_SCORE is too weak to
    be embedded at all. Refreshed: DUE continues one whose embedding is old. Critical: NO_TRACK,
    nothing is being tracked yet; WEAK_IOU, no track predicted it here; CROWDED, another
    detection overlaps it; ALWAYS, the policy embeds everything.
    """

    STABLE = 0
    DUE = 1
    NO_TRACK = 2
    WEAK_IOU = 3
    CROWDED = 4
    ALWAYS = 5
    LOW_SCORE = 6


def check_shapes(owner: str, **arrays: tuple[NDArray[np.generic], tuple[int, ...]]) -> None:
    """Raise `ValueError` naming the first array whose shape differs from what it must be."""
    for name, (array, shape) in arrays.items():
        if array.shape != shape:
            raise ValueError(f"{owner}.{name} has shape {array.shape}, expected {shape}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the source.

    Attributes:
        index: 0-based position in the source (not in what is kept after a stride).
        time_s: presentation time in seconds from the first frame of the source.
        image: (H, W, 3) uint8 BGR, upright (rotation metadata already applied).
    """

    index: int
    time_s: float
    image: Image

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(f"Frame.image has shape {self.image.shape}, expected (H, W, 3)")

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.image.shape[0])


@dataclass(frozen=True, slots=True)
class Detections:
    """What the detector saw in one frame; row i of every array is the same object.

    Attributes:
        xyxy: (N, 4) float32, pixels of the source frame, x1 <= x2 and y1 <= y2.
        score: (N,) float32, detector confidence in [0, 1].
        class_id: (N,) int64, key into the detector's class names.
    """

    xyxy: FloatArray
    score: FloatArray
    class_id: IntArray

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        check_shapes("Detections", xyxy=(self.xyxy, (n, 4)), score=(self.score, (n,)))
        check_shapes("Detections", class_id=(self.class_id, (n,)))

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: IntArray | BoolArray) -> Detections:
        """Select rows, keeping the arrays aligned: `detections[detections.score > 0.5]`."""
        return Detections(self.xyxy[rows], self.score[rows], self.class_id[rows])

    @classmethod
    def empty(cls) -> Detections:
        """No objects; the shapes stay valid so no caller needs a special case."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class EmbedPlan:
    """The fate of every detection's embedding this frame, before any time is spent.

    Attributes:
        critical: (C,) int64 rows that must be computed now, most urgent first.
        refresh: (R,) int64 rows worth computing if time is left, stalest first.
        reuse: (U,) int64 rows whose track's embedding stands; with the two above a partition of N.
        track: (N,) int64 row of the continued track in the prediction, -1 for none.
        reason: (N,) int8, a `Reason` per detection.
    """

    critical: IntArray
    refresh: IntArray
    reuse: IntArray
    track: IntArray
    reason: NDArray[np.int8]

    def __post_init__(self) -> None:
        n = len(self.track)
        check_shapes("EmbedPlan", reason=(self.reason, (n,)))
        fates = np.concatenate((self.critical, self.refresh, self.reuse))
        if len(fates) != n or (n and (np.bincount(fates, minlength=n) != 1).any()):
            raise ValueError("EmbedPlan: critical, refresh and reuse must partition the rows")

    def __len__(self) -> int:
        return len(self.track)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What is known of each detection's appearance after the budget was spent.

    Attributes:
        vectors: (N, D) float32, unit rows where `valid`; D is 0 before the first embedding.
        fresh: (N,) bool, computed in this frame: the only rows that are evidence.
        valid: (N,) bool, fresh or reused from the continued track.
    """

    vectors: FloatArray
    fresh: BoolArray
    valid: BoolArray

    def __post_init__(self) -> None:
        n = len(self.fresh)
        width = self.vectors.shape[1] if self.vectors.ndim == 2 else -1
        check_shapes("Embeddings", vectors=(self.vectors, (n, width)), valid=(self.valid, (n,)))

    def __len__(self) -> int:
        return len(self.fresh)

    @classmethod
    def none(cls, n: int, dim: int = 0) -> Embeddings:
        """No appearance known for `n` detections: motion alone decides."""
        missing = np.zeros(n, np.bool_)
        return cls(np.zeros((n, dim), np.float32), missing, missing.copy())


@dataclass(frozen=True, slots=True)
class Matches:
    """Which detection continues which track.

    Attributes:
        track_rows: (M,) int64 rows of the tracks.
        detection_rows: (M,) int64 rows of the detections, aligned with `track_rows`.
        cost: (M,) float32, lower is better.
        unmatched_tracks: int64 rows of the tracks left over.
        unmatched_detections: int64 rows of the detections left over.
    """

    track_rows: IntArray
    detection_rows: IntArray
    cost: FloatArray
    unmatched_tracks: IntArray
    unmatched_detections: IntArray

    def __post_init__(self) -> None:
        m = len(self.track_rows)
        check_shapes("Matches", detection_rows=(self.detection_rows, (m,)), cost=(self.cost, (m,)))

    def __len__(self) -> int:
        return len(self.track_rows)


@dataclass(frozen=True, slots=True)
class Tracks:
    """The identities alive after a frame; row i of every array is the same identity.

    Attributes:
        id: (T,) int64, from 1, never reused within a run.
        xyxy: (T, 4) float32, the matched detection's box, or the predicted one while coasting.
        score: (T,) float32, confidence of the last matched detection.
        class_id: (T,) int64.
        state: (T,) int8, a `TrackState`.
        fresh: (T,) bool, an embedding was computed for it in this frame.
        detection: (T,) int64 row in this frame's detections, -1 while coasting.
    """

    id: IntArray
    xyxy: FloatArray
    score: FloatArray
    class_id: IntArray
    state: NDArray[np.int8]
    fresh: BoolArray
    detection: IntArray

    def __post_init__(self) -> None:
        n = len(self.id)
        flat = ("score", "class_id", "state", "fresh", "detection")
        row = {name: (getattr(self, name), (n,)) for name in flat}
        check_shapes("Tracks", xyxy=(self.xyxy, (n, 4)), **row)

    def __len__(self) -> int:
        return len(self.id)

    def __getitem__(self, rows: IntArray | BoolArray) -> Tracks:
        """Select rows, keeping the arrays aligned."""
        return Tracks(*(getattr(self, item.name)[rows] for item in fields(self)))

    @classmethod
    def empty(cls) -> Tracks:
        """Nobody is tracked."""
        whole, flags = np.empty(0, np.int64), np.empty(0, np.bool_)
        boxes, score = np.empty((0, 4), np.float32), np.empty(0, np.float32)
        return cls(whole, boxes, score, whole, np.empty(0, np.int8), flags, whole)


@dataclass(frozen=True, slots=True)
class EmbedCounts:
    """What the embedding step of one frame did.

    Attributes:
        critical: crops computed because they had to be.
        refresh: crops computed because time was left.
        reused: detections that kept their track's embedding without being due.
        deferred: due refreshes that did not fit; the stalest of them is first next frame.
        starved: critical crops that a hard budget refused.
        nonfinite: computed vectors thrown away because they held NaN or infinity.
        budget_ms: what a frame may spend, 0 for no limit.
        embed_ms: measured time of the whole step, `critical_ms` the critical part of it.
        predicted_ms: what the cost model expected for the crops that were computed.
    """

    critical: int = 0
    refresh: int = 0
    reused: int = 0
    deferred: int = 0
    starved: int = 0
    nonfinite: int = 0
    budget_ms: float = 0.0
    embed_ms: float = 0.0
    critical_ms: float = 0.0
    predicted_ms: float = 0.0

    @property
    def computed(self) -> int:
        """Crops that went through the embedder."""
        return self.critical + self.refresh


@dataclass(frozen=True, slots=True)
class FrameResult:
    """Everything a system says about one frame.

    Attributes:
        frame_index: 0-based index of the frame in the source.
        time_s: its presentation time in seconds.
        detections: what was seen.
        tracks: who is there.
        embed: what the embedding step did.
        stage_ms: stage name -> milliseconds.
    """

    frame_index: int
    time_s: float
    detections: Detections
    tracks: Tracks
    embed: EmbedCounts = field(default_factory=EmbedCounts)
    stage_ms: dict[str, float] = field(default_factory=dict)
