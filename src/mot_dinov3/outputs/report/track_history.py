"""What a report keeps of every track: when it was seen and embedded, and how it looked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mot_dinov3.values import (
    CONFIRMED,
    NO_VALUES,
    Appearance,
    FloatArray,
    Tracks,
    boxes,
    follow_ids,
)

STRIDE = 5
"""Boxes from one point of `steps` to the next, by which speed is measured."""
MOST_STEPS = 128
"""Points of the way of a track; when there are more, every second one is dropped."""
NOWHERE = (-1e6, -1e6)
"""Where a box stands that has no numbers: out of every picture."""
CLARITY_EVERY = 3
"""Frames from one search for a clearer box to the next: neighbouring frames show the same."""


@dataclass(slots=True)
class TrackHistory:
    """One track from its first to its last box; times are rows of the frame table.

    Attributes:
        track_id: its identity.
        class_id: of its last box.
        confirmed: it was confirmed at some time.
        spans: [first row, last row] of every stretch in which it was seen without a gap.
        fresh: rows in which an embedding of it was computed.
        similarity: (row, cosine with its mean embedding) of all embeddings but the first.
        resembles: identity that had ended -> cosine of the first embedding with its mean.
        first_box: (4,) xyxy, pixels, of its first box.
        last_box: (4,) of its last box.
        steps: (seconds, box) of three of its boxes: of the last one, of one up to four boxes
            before it, and of one five boxes before that; of the first where there are fewer.
        seen: number of frames in which it had a detection.
        best: (row, (4,) xyxy) of its clearest box.
        clearest: the clarity of that box, see `rate_clarity`.
        way: (row, x, y) of the lower middle of its boxes, evenly spread, at most about 128.
    """

    track_id: int
    class_id: int
    first_box: FloatArray
    last_box: FloatArray
    confirmed: bool = False
    spans: list[list[int]] = field(default_factory=list)
    fresh: list[int] = field(default_factory=list)
    similarity: list[tuple[int, float]] = field(default_factory=list)
    resembles: dict[int, float] = field(default_factory=dict)
    steps: list[tuple[float, FloatArray]] = field(default_factory=list)
    seen: int = 0
    best: tuple[int, FloatArray] = (0, NO_VALUES)
    clearest: float = -1.0
    way: list[tuple[int, float, float]] = field(default_factory=list)
    way_step: int = 1

    @property
    def path(self) -> list[tuple[int, float, float]]:
        """`way` with its last point, which may not be among those that are kept."""
        last = (self.ends, *find_feet(self.last_box.tolist()))
        return self.way if self.way and self.way[-1][0] == self.ends else [*self.way, last]

    def take_step(self, row: int, box: FloatArray) -> None:
        """Add a box (4,) to the way, or pass it over so that points stay evenly spread."""
        if self.seen % self.way_step:
            return
        self.way.append((row, *find_feet(box.tolist())))
        if len(self.way) > MOST_STEPS:
            self.way, self.way_step = self.way[::2], 2 * self.way_step

    @property
    def speed(self) -> FloatArray:
        """(4,) pixels a second of the sides of its last boxes, zeros where it was seen once."""
        (then_s, then), (now_s, now) = self.steps[0], self.steps[-1]
        if now_s <= then_s:
            return np.zeros(4, np.float32)
        return np.asarray((now - then) / np.float32(now_s - then_s), np.float32)

    @property
    def begins(self) -> int:
        """The row in which it was first seen."""
        return self.spans[0][0]

    @property
    def ends(self) -> int:
        """The row in which it was last seen."""
        return self.spans[-1][1]


class TrackBook:
    """The tracks of a run, frame by frame; a track that ends unconfirmed is removed.

    Attributes:
        tracks: identity -> its history, in the order in which they were confirmed.
    """

    def __init__(self) -> None:
        self.tracks: dict[int, TrackHistory] = {}
        self._tentative: set[int] = set()

    def add(
        self,
        row: int,
        time_s: float,
        tracks: Tracks,
        appearances: Iterable[Appearance],
        size: tuple[int, int] | None = None,
    ) -> None:
        """Take the tracks of the next frame.

        Args:
            row: of the frame in the frame table.
            time_s: of the frame.
            tracks: of the frame.
            appearances: what the embeddings of the frame say of their tracks.
            size: width and height of the picture in pixels, None if unknown.
        """
        self._follow_ids(tracks)
        here = tracks[tracks.detection >= 0]
        clear = (
            rate_clarity(here, size).tolist() if row % CLARITY_EVERY == 0 else [-1.0] * len(here)
        )
        for index, track_id in enumerate(here.id.tolist()):
            history = self._observe(row, time_s, track_id, here.xyxy[index])
            history.class_id = int(here.class_id[index])
            if int(here.state[index]) == CONFIRMED:
                history.confirmed = True
                self._tentative.discard(history.track_id)
            if here.fresh[index]:
                history.fresh.append(row)
            if clear[index] > history.clearest:
                history.best, history.clearest = (row, here.xyxy[index]), clear[index]
        for appearance in appearances:
            if appearance.track_id in self.tracks:
                self._compare(row, self.tracks[appearance.track_id], appearance)
        for track_id in self._tentative.difference(tracks.id.tolist()):
            self._tentative.remove(track_id)
            del self.tracks[track_id]

    def _follow_ids(self, tracks: Tracks) -> None:
        """Keep the tracks that this frame confirms under the ids that they were given."""
        follow_ids(self.tracks, tracks)
        for old, new in tracks.given_ids.items():
            if old in self._tentative:
                self._tentative.remove(old)
                self._tentative.add(new)
                self.tracks[new].track_id = new

    def _observe(self, row: int, time_s: float, track_id: int, box: FloatArray) -> TrackHistory:
        history = self.tracks.get(track_id)
        if history is None:
            history = self.tracks[track_id] = TrackHistory(track_id, -1, box, box, best=(row, box))
            self._tentative.add(track_id)
        if history.spans and history.ends == row - 1:
            history.spans[-1][1] = row
        else:
            history.spans.append([row, row])
            history.steps = [(time_s, box)] * 3
        if history.seen % STRIDE == 0:
            history.steps[0] = history.steps[1]
            history.steps[1] = (time_s, box)
        history.steps[2] = (time_s, box)
        history.take_step(row, box)
        history.last_box = box
        history.seen += 1
        return history

    @staticmethod
    def _compare(row: int, history: TrackHistory, appearance: Appearance) -> None:
        if not math.isnan(appearance.similarity):
            history.similarity.append((row, appearance.similarity))
        known = {i: value for i, value in appearance.resembles if not math.isnan(value)}
        history.resembles |= known


def find_feet(box: Sequence[float]) -> tuple[float, float]:
    """The lower middle (x, y) of a box xyxy; far to the left for one without numbers."""
    left, _, right, bottom = box
    if not (math.isfinite(left) and math.isfinite(right) and math.isfinite(bottom)):
        return NOWHERE
    return (left + right) / 2, bottom


def rate_clarity(tracks: Tracks, size: tuple[int, int] | None = None) -> FloatArray:
    """(T,) how clearly each box shows its object: score x visible area x share not overlapped.

    Args:
        tracks: those that are seen in one frame.
        size: width and height of the picture in pixels; None to take all of each box as visible.
    """
    if not len(tracks):
        return NO_VALUES
    xyxy = np.nan_to_num(tracks.xyxy)
    inside = boxes.clip(xyxy, *size) if size else xyxy
    overlap = boxes.iou_matrix(xyxy, xyxy)
    np.fill_diagonal(overlap, 0)
    alone = 1 - overlap.max(axis=1)
    return np.asarray(np.nan_to_num(tracks.score) * boxes.area(inside) * alone, np.float32)
