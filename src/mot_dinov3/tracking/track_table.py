"""The arrays of all tracks, and the seconds from frame to frame."""

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
    Tracks,
)

GAP_STEPS = 4
"""A step is a gap in time only if it is so many times as long as the one before: in a source of a
frame every other second no track is lost in between."""

MOST_CLASS_WEIGHT = 10.0
"""However long a track was of one class, this many certain detections of another change it."""


@dataclass(slots=True)
class TrackTable:
    """One row per track; the arrays stay aligned with the motion model and the gallery.

    Attributes:
        id: from 1, given when a track is confirmed, never reused; negative until then.
        class_id: the class that its detections' scores speak for in the long run.
        class_weight: by how much they speak for it, `MOST_CLASS_WEIGHT` at most.
        score: confidence of the last detection.
        state: int8, a `TrackState`.
        hits: matched frames in all.
        misses: frames in a row without a detection of it.
        lost_s: seconds since a detection, or a searcher, found it.
        staleness: frames since its last real embedding.
        detection: its row in this frame, -1 for none.
        fresh: an embedding was computed for it in this frame.
        provisional: the negative id that it had until this frame confirmed it, else 0.
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
    provisional: IntArray = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.id)

    def keep(self, rows: BoolArray) -> None:
        """Drop every track that is not in `rows` (T,)."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name)[rows])

    def initiate(
        self, ids: IntArray, class_id: IntArray, score: FloatArray, state: int, found: IntArray
    ) -> None:
        """Append new tracks, all (N,) arrays.

        Args:
            ids: their ids.
            class_id: the classes of the detections that start them.
            score: the confidence of those detections.
            state: the `TrackState` of all.
            found: the rows of those detections.
        """
        n = len(ids)
        self._extend(
            id=ids,
            class_id=class_id,
            class_weight=score,
            score=score,
            state=np.full(n, state, np.int8),
            hits=np.ones(n, np.int64),
            misses=np.zeros(n, np.int64),
            lost_s=np.zeros(n, np.float32),
            staleness=np.zeros(n, np.int64),
            detection=found,
            fresh=np.zeros(n, np.bool_),
            provisional=np.zeros(n, np.int64),
        )

    def update(
        self, rows: IntArray, found: IntArray, class_id: IntArray, score: FloatArray
    ) -> None:
        """Continue tracks `rows` (M,); every other track has no detection in this frame.

        Args:
            rows: (M,) the tracks.
            found: (M,) the rows of their detections.
            class_id: (M,) the classes of these.
            score: (M,) the confidence of these.
        """
        self._begin_frame()
        self._vote_class(rows, class_id, score)
        self.score[rows] = score
        self.detection[rows] = found
        self.hits[rows] += 1
        self.misses[rows] = 0
        self.lost_s[rows] = 0.0

    def _begin_frame(self) -> None:
        self.detection[:] = -1
        self.fresh[:] = False
        self.provisional[:] = 0

    def coast(self) -> None:
        """Pass a frame in which nothing was detected because the detector was not asked."""
        self._begin_frame()
        self.misses += 1

    def carry(self, rows: IntArray) -> None:
        """Tracks `rows` (M,) were found by a searcher, which is no hit, but no loss either."""
        self.lost_s[rows] = 0.0
        self.state[rows] = np.where(self.state[rows] == LOST, CONFIRMED, self.state[rows])

    def confirm(self, rows: IntArray, min_hits: int, last_id: int) -> int:
        """Confirm those of `rows` (M,) that were lost, or tentative and seen `min_hits` times.

        Args:
            rows: (M,) tracks that were seen in this frame.
            min_hits: matched frames that confirm a tentative track.
            last_id: the highest id that was given so far; tentative tracks get the next ones.

        Returns:
            How many of them were tentative.
        """
        sure = rows[(self.hits[rows] >= min_hits) | (self.state[rows] == LOST)]
        new = np.sort(sure[self.state[sure] == TENTATIVE])
        self.state[sure] = CONFIRMED
        if len(new):
            self.provisional[new] = self.id[new]
            self.id = self.id.copy()  # the prediction of this frame has the array, too
            self.id[new] = np.arange(last_id + 1, last_id + 1 + len(new))
        return len(new)

    def _vote_class(self, rows: IntArray, class_id: IntArray, score: FloatArray) -> None:
        """Let detections speak for the classes of tracks `rows` (M,).

        A track's class is the one that the scores of its detections speak for in the long run: a
        detection of the same class adds its score to the weight, one of another class takes it
        off, and the class changes where nothing is left.

        Args:
            rows: (M,) the tracks.
            class_id: (M,) the classes of their detections.
            score: (M,) the confidence of these.
        """
        known, weight = self.class_id[rows], self.class_weight[rows]
        same = known == class_id
        if not same.all():
            score = np.where(same, score, -score)
        weight += score
        changed = weight < 0
        if changed.any():
            known[changed] = class_id[changed]
            self.class_id[rows] = known
        self.class_weight[rows] = np.minimum(np.abs(weight), MOST_CLASS_WEIGHT)

    def mark_missed(self, rows: IntArray) -> None:
        """Tracks `rows` (M,) were not seen: confirmed ones are lost, tentative ones removed."""
        self.misses[rows] += 1
        tentative = self.state[rows] == TENTATIVE
        self.state[rows] = np.where(tentative, REMOVED, LOST)

    def find_alive(self, patience_s: FloatArray) -> BoolArray:
        """(T,) tracks that are not removed, nor lost for longer than their `patience_s` (T,)."""
        gone = (self.state == LOST) & (self.lost_s > patience_s)
        return np.asarray(~(gone | (self.state == REMOVED)), np.bool_)

    def place(self, predicted: FloatArray, seen: FloatArray) -> FloatArray:
        """(T, 4) where tracks are: `predicted` (T, 4), but for those seen in a box of (N, 4)."""
        here = self.detection >= 0
        predicted[here] = seen[self.detection[here]]
        return predicted

    def mark_all_lost(self, gap_s: float) -> None:
        """Confirmed tracks are lost and tentative ones removed: nothing was seen for `gap_s`."""
        self.state[self.state == TENTATIVE] = REMOVED
        self.state[self.state == CONFIRMED] = LOST
        self.lost_s += np.float32(gap_s)

    def show(self, xyxy: FloatArray, most_lost_s: float) -> Tracks:
        """The tracks seen now, and the lost ones whose predicted place still means something.

        Args:
            xyxy: (T, 4) float32 where they are.
            most_lost_s: for how long a predicted place means something.
        """
        shown = ((self.detection >= 0) | (self.lost_s <= most_lost_s)).nonzero()[0]
        return Tracks(
            id=self.id[shown],
            xyxy=xyxy[shown],
            score=self.score[shown],
            class_id=self.class_id[shown],
            state=self.state[shown],
            fresh=self.fresh[shown],
            detection=self.detection[shown],
            provisional=self.provisional[shown],
        )

    def _extend(self, **columns: NDArray[np.generic]) -> None:
        for name, values in columns.items():
            setattr(self, name, np.concatenate((getattr(self, name), values)))


class FrameSteps:
    """The seconds from frame to frame.

    Attributes:
        time_s: of the latest frame, 0 before the first.
        step_s: from the frame before to the latest; a usual one before there are two.
    """

    def __init__(self, usual_s: float) -> None:
        """Begin before the first frame; `usual_s` stands for the step until there is one."""
        self.time_s, self.step_s = 0.0, usual_s
        self._before_s = math.inf
        self._frames = 0

    def advance(self, time_s: float) -> float:
        """Go on to the next frame, at `time_s`, and return the step to it in seconds."""
        self._frames += 1
        if self._frames > 1:
            self._before_s = self.step_s if self._frames > 2 else math.inf
            self.step_s = max(time_s - self.time_s, 1e-6)
        self.time_s = time_s
        return self.step_s

    def has_gap(self, most_s: float) -> bool:
        """Whether the latest step is a gap of more than `most_s` in frames that came faster."""
        return self.step_s > max(most_s, GAP_STEPS * self._before_s)
