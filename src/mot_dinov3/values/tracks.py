"""Matches, tracks, and everything that a system says about a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values.arrays import BoolArray, FloatArray, IntArray, check_shapes
from mot_dinov3.values.counting import FrameCounts
from mot_dinov3.values.embedding import Decisions, EmbedCounts, Embeddings
from mot_dinov3.values.seen import Detections

Entry = TypeVar("Entry")


class TrackState(IntEnum):
    """The states of a track; the values are what `Tracks.state` stores.

    A track is `SEARCHED` in a frame in which no detection continues it, but a searcher found it.
    """

    TENTATIVE = 0
    CONFIRMED = 1
    LOST = 2
    REMOVED = 3
    SEARCHED = 4


TENTATIVE, CONFIRMED, LOST, REMOVED, SEARCHED = map(int, TrackState)
"""The states as plain numbers, which numpy compares with whole columns in less time."""


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


NO_IDS: IntArray = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Tracks:
    """The tracks alive after a frame; row i of every array is the same track.

    Attributes:
        id: (T,) int64, given when a track is confirmed, from 1 and without gaps, never reused
            within a run. A tentative track has a negative one.
        xyxy: (T, 4) float32, the matched detection's box, the one that a searcher found, or the
            predicted one while coasting.
        score: (T,) float32, confidence of the last matched detection.
        class_id: (T,) int64.
        state: (T,) int8, a `TrackState`.
        fresh: (T,) bool, an embedding was computed for it in this frame.
        detection: (T,) int64 row in this frame's detections, -1 while coasting and searched.
        provisional: (T,) int64, in the frame that confirms a track the negative id that it had
            before, else 0; all 0 when left out.
    """

    id: IntArray
    xyxy: FloatArray
    score: FloatArray
    class_id: IntArray
    state: NDArray[np.int8]
    fresh: BoolArray
    detection: IntArray
    provisional: IntArray = field(default_factory=lambda: NO_IDS)

    def __post_init__(self) -> None:
        n = len(self.id)
        if self.provisional is NO_IDS and n:
            object.__setattr__(self, "provisional", np.zeros(n, np.int64))
        flat = ("score", "class_id", "state", "fresh", "detection", "provisional")
        row = {name: (getattr(self, name), (n,)) for name in flat}
        check_shapes("Tracks", xyxy=(self.xyxy, (n, 4)), **row)

    def __len__(self) -> int:
        return len(self.id)

    def __getitem__(self, rows: IntArray | BoolArray) -> Tracks:
        """Select rows, keeping the arrays aligned."""
        return Tracks(*(getattr(self, item.name)[rows] for item in fields(self)))

    @property
    def present(self) -> BoolArray:
        """(T,) the tracks that a result is made of: confirmed, and seen in this frame."""
        return np.asarray((self.state == CONFIRMED) & (self.detection >= 0), np.bool_)

    @property
    def placed(self) -> BoolArray:
        """(T,) the tracks whose box was seen in this frame, by a detector or by a searcher."""
        return np.asarray((self.detection >= 0) | (self.state == SEARCHED), np.bool_)

    @property
    def given_ids(self) -> dict[int, int]:
        """Negative id that a track had so far -> the id that it was given in this frame."""
        rows = self.provisional.nonzero()[0]
        return dict(zip(self.provisional[rows].tolist(), self.id[rows].tolist(), strict=True))

    @classmethod
    def empty(cls) -> Tracks:
        """No tracks; the shapes stay valid."""
        whole, flags = np.empty(0, np.int64), np.empty(0, np.bool_)
        boxes, score = np.empty((0, 4), np.float32), np.empty(0, np.float32)
        return cls(whole, boxes, score, whole, np.empty(0, np.int8), flags, whole)


def follow_ids(book: dict[int, Entry], tracks: Tracks) -> None:
    """Move the entries of tracks that this frame confirmed to the ids that they were given.

    Args:
        book: id -> what is known of the track; changed in place.
        tracks: of the frame.
    """
    rename_entries(book, tracks.given_ids)


def rename_entries(book: dict[int, Entry], new_of: Mapping[int, int]) -> None:
    """Move entries to other ids.

    Args:
        book: id -> what is known of the track; changed in place.
        new_of: former id -> the new one.
    """
    for old, new in new_of.items():
        if old in book:
            book[new] = book.pop(old)


@dataclass(frozen=True, slots=True)
class FrameResult:
    """Everything a system says about one frame.

    Attributes:
        frame_index: 0-based index of the frame in the source.
        time_s: its presentation time in seconds.
        detections: what was seen.
        tracks: the tracks alive after the frame.
        embed: what the embedding step did.
        stage_ms: stage name -> milliseconds.
        decisions: what became of each detection's embedding; None from a system without a plan.
        embeddings: what is known of each detection's appearance; None from a system
            without embeddings.
        counted: what was counted at lines and zones; None where there are none.
        known: track id -> what it is called, of tracks that are known from elsewhere.
    """

    frame_index: int
    time_s: float
    detections: Detections
    tracks: Tracks
    embed: EmbedCounts = field(default_factory=EmbedCounts)
    stage_ms: dict[str, float] = field(default_factory=dict)
    decisions: Decisions | None = None
    embeddings: Embeddings | None = None
    counted: FrameCounts | None = None
    known: Mapping[int, str] = field(default_factory=dict)
