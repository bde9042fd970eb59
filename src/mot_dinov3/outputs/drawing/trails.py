"""Where tracks went in the last seconds, as lines that fade."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.drawing.colours import choose_colour
from mot_dinov3.values import CONFIRMED, FrameResult, Image

STEPS = 120
"""Points of a trail, at most about; more of them would look the same."""
PIECES = 12
"""Parts of a trail that are as bright each."""
FAINTEST = 0.15
"""How much of its colour the oldest part of a trail has."""
FARTHEST_PX = 1e5
SHIFT = 3
"""Bits behind the point of a coordinate, as OpenCV takes them."""


@dataclass(frozen=True, slots=True)
class Step:
    """A point of a trail.

    Attributes:
        time_s: when the track was there.
        x: pixels, the middle of its box.
        y: pixels, the lower edge of its box.
        joined: the track was seen from the point before until this one without a gap.
    """

    time_s: float
    x: float
    y: float
    joined: bool


class Trails:
    """The trails of one run; its memory is bounded by the tracks of the last seconds."""

    def __init__(self, seconds: float) -> None:
        """Keep trails of so many seconds, none for 0."""
        self._seconds = seconds
        self._steps: dict[int, deque[Step]] = {}
        self._last: dict[int, Step] = {}

    def add(self, result: FrameResult) -> None:
        """Take the next frame: the lower middle of every confirmed track that is seen.

        Where points are denser than can be seen, the newest takes the place of the one before.
        """
        if not self._seconds:
            return
        tracks, now_s = result.tracks, result.time_s
        here = tracks[(tracks.detection >= 0) & (tracks.state == CONFIRMED)]
        middle = np.nan_to_num((here.xyxy[:, 0] + here.xyxy[:, 2]) / 2)
        last = {}
        for track_id, x, y in zip(
            here.id.tolist(), middle.tolist(), np.nan_to_num(here.xyxy[:, 3]).tolist(), strict=True
        ):
            known = self._steps.setdefault(track_id, deque())
            last[track_id] = Step(now_s, x, y, track_id in self._last)
            dense = len(known) > 1 and now_s - known[-2].time_s < self._seconds / STEPS
            if dense and known[-1].joined and last[track_id].joined:
                known.pop()
            known.append(last[track_id])
        self._last = last
        self._forget(now_s - self._seconds)

    def _forget(self, before_s: float) -> None:
        for known in self._steps.values():
            while known and known[0].time_s < before_s:
                known.popleft()
        self._steps = {i: known for i, known in self._steps.items() if known}

    def draw(self, image: Image, now_s: float, thickness_px: int) -> None:
        """Draw all trails, older parts fainter: mixed with what lies under them.

        Args:
            image: (H, W, 3) uint8 BGR, drawn on.
            now_s: time of the picture.
            thickness_px: of the lines.
        """
        for track_id, known in sorted(self._steps.items()):
            if len(known) < 2:
                continue
            steps = [*known]
            age = np.array([now_s - step.time_s for step in steps]) / self._seconds
            piece = ((1 - age) * PIECES).astype(int).clip(0, PIECES - 1)
            places = np.array([(step.x, step.y) for step in steps])
            places = places.clip(-FARTHEST_PX, FARTHEST_PX)
            joined = np.array([step.joined for step in steps])
            self._draw_pieces(image, (track_id, thickness_px), (piece, places, joined))

    @staticmethod
    def _draw_pieces(
        image: Image,
        pen: tuple[int, int],
        trail: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]],
    ) -> None:
        """Draw one trail: each piece is as bright everywhere as in its middle."""
        track_id, thickness_px = pen
        piece, places, joined = trail
        colour = np.array(choose_colour(track_id), np.float64)
        whole = np.rint(places * (1 << SHIFT)).astype(np.int32)
        for number in np.unique(piece):
            ends = np.flatnonzero((piece == number) & joined)
            ends = ends[ends > 0]
            if not len(ends):
                continue
            lines = np.stack((whole[ends - 1], whole[ends]), axis=1)
            weight = FAINTEST + (1 - FAINTEST) * (number + 1) / PIECES
            x, y = places[ends[len(ends) // 2]].astype(int).tolist()
            x, y = min(max(x, 0), image.shape[1] - 1), min(max(y, 0), image.shape[0] - 1)
            mixed = weight * colour + (1 - weight) * image[y, x]
            cv2.polylines(image, [*lines], False, mixed.tolist(), thickness_px, cv2.LINE_AA, SHIFT)
