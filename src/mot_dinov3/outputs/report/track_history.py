"""What a report keeps of every identity: when it was seen, when it was looked at, how it looked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from mot_dinov3.values import CONFIRMED, NO_VALUES, FloatArray, Look, Tracks, boxes

STRIDE = 5
"""Boxes from one place to the next by which speed is measured."""
LOOK_EVERY = 3
"""Frames from one search for a clearer box to the next: neighbours show the same."""


@dataclass(slots=True)
class TrackHistory:
    """One identity from its first to its last box; places in time are rows of the frame table.

    Attributes:
        track_id: the identity.
        class_id: of its last box.
        confirmed: whether it was ever more than tentative.
        spans: [first row, last row] of every stretch in which it was seen without a break.
        fresh: rows in which an embedding of it was computed.
        similarity: (row, cosine with what was remembered of it) of all but its first embedding.
        resembles: identity that had left -> cosine of its first embedding with that one.
        first_box: (4,) xyxy of its first box, `last_box` of its last one.
        steps: (seconds, box) of its last box but five to nine, of its last but up to four, and
            of its last; as far as there were so many.
        seen: frames in which it had a detection.
        best: (row, (4,) xyxy) of its clearest box, which was `clearest`.
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

    @property
    def speed(self) -> FloatArray:
        """(4,) pixels a second of the sides of its last boxes, zeros where it was seen once."""
        (then_s, then), (now_s, now) = self.steps[0], self.steps[-1]
        if now_s <= then_s:
            return np.zeros(4, np.float32)
        out: FloatArray = (now - then) / np.float32(now_s - then_s)
        return out

    @property
    def begins(self) -> int:
        """The row in which it was first seen."""
        return self.spans[0][0]

    @property
    def ends(self) -> int:
        """The row in which it was last seen."""
        return self.spans[-1][1]


class TrackBook:
    """The tracks of a run, written frame by frame; who was never confirmed is struck out again.

    Attributes:
        tracks: identity -> its history, in the order of birth.
    """

    def __init__(self) -> None:
        self.tracks: dict[int, TrackHistory] = {}
        self._unproven: set[int] = set()

    def add(
        self,
        row: int,
        time_s: float,
        tracks: Tracks,
        looks: Iterable[Look],
        size: tuple[int, int] | None = None,
    ) -> None:
        """Take the tracks of the next frame, which becomes row `row`; `size` is the picture's."""
        here = tracks[tracks.detection >= 0]
        clear = rate_clarity(here, size).tolist() if row % LOOK_EVERY == 0 else [-1.0] * len(here)
        for index, track_id in enumerate(here.id.tolist()):
            history = self._seen(row, time_s, track_id, here.xyxy[index])
            history.class_id = int(here.class_id[index])
            if int(here.state[index]) == CONFIRMED:
                history.confirmed = True
                self._unproven.discard(history.track_id)
            if here.fresh[index]:
                history.fresh.append(row)
            if clear[index] > history.clearest:
                history.best, history.clearest = (row, here.xyxy[index]), clear[index]
        for look in looks:
            if look.track_id in self.tracks:
                self._look(row, self.tracks[look.track_id], look)
        for track_id in self._unproven.difference(tracks.id.tolist()):
            self._unproven.remove(track_id)
            del self.tracks[track_id]

    def _seen(self, row: int, time_s: float, track_id: int, box: FloatArray) -> TrackHistory:
        history = self.tracks.get(track_id)
        if history is None:
            history = self.tracks[track_id] = TrackHistory(track_id, -1, box, box, best=(row, box))
            self._unproven.add(track_id)
        if history.spans and history.ends == row - 1:
            history.spans[-1][1] = row
        else:
            history.spans.append([row, row])
            history.steps = [(time_s, box)] * 3
        if history.seen % STRIDE == 0:
            history.steps[0] = history.steps[1]
            history.steps[1] = (time_s, box)
        history.steps[2] = (time_s, box)
        history.last_box = box
        history.seen += 1
        return history

    @staticmethod
    def _look(row: int, history: TrackHistory, look: Look) -> None:
        if look.similarity == look.similarity:  # a number
            history.similarity.append((row, look.similarity))
        history.resembles |= {other: value for other, value in look.resembles if value == value}


def rate_clarity(tracks: Tracks, size: tuple[int, int] | None = None) -> FloatArray:
    """(T,) how well each box shows somebody: confidence x visible area x share not shared.

    Args:
        tracks: those seen in one frame.
        size: width and height of the picture; None where boxes can only be taken as they are.
    """
    if not len(tracks):
        return NO_VALUES
    xyxy = np.nan_to_num(tracks.xyxy)
    inside = boxes.clip(xyxy, *size) if size else xyxy
    overlap = boxes.iou_matrix(xyxy, xyxy)
    np.fill_diagonal(overlap, 0)
    out: FloatArray = np.nan_to_num(tracks.score) * boxes.area(inside) * (1 - overlap.max(axis=1))
    return out
