"""Where tracks went in the last seconds, as lines that fade."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.drawing.colours import choose_colour
from mot_dinov3.values import SEARCHED, FrameResult, Image

STEPS = 120
"""Points of a trail, at most about; more of them would look the same."""
PIECES = 12
"""Parts of a trail that are as bright each."""
FAINTEST = 0.15
"""How much of its colour the oldest part of a trail has."""
FARTHEST_PX = 1e5
SHIFT = 3
"""Bits behind the point of a coordinate, as OpenCV takes them."""


class Step(NamedTuple):
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
        """Take the next frame: the lower middle of every confirmed track that is seen or searched.

        Where points are denser than can be seen, the newest takes the place of the one before.
        """
        if not self._seconds:
            return
        tracks, now_s = result.tracks, result.time_s
        here = tracks[tracks.present | (tracks.state == SEARCHED)]
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
            time_s, x, y, joined = np.array(known, np.float64).T
            age = (now_s - time_s) / self._seconds
            piece = ((1 - age) * PIECES).astype(np.int64).clip(0, PIECES - 1)
            # A piece begins where the brightness changes, and behind every gap.
            begins = np.flatnonzero((piece[1:] != piece[:-1]) | (joined[1:] == 0)) + 1
            ends = [*begins.tolist(), len(piece)]
            places = np.stack((x, y), axis=1).clip(-FARTHEST_PX, FARTHEST_PX)
            for begin, end in zip([0, *ends], ends, strict=False):
                line = places[begin - (begin > 0 and joined[begin] > 0) : end]
                if len(line) > 1:
                    weight = FAINTEST + (1 - FAINTEST) * (piece[begin] + 1) / PIECES
                    _draw_line(image, line, (track_id, float(weight)), thickness_px)


def _draw_line(
    image: Image, line: NDArray[np.float64], colour: tuple[int, float], thickness_px: int
) -> None:
    """Draw a line (N, 2) in the colour of a track, mixed with what lies under its middle.

    Args:
        image: (H, W, 3) uint8 BGR, drawn on.
        line: (N, 2) x and y of its points.
        colour: the track, and how much of its colour the line has.
        thickness_px: of the line.
    """
    track_id, weight = colour
    height, width = image.shape[:2]
    x, y = line[len(line) // 2].astype(int).tolist()
    under = image[min(max(y, 0), height - 1), min(max(x, 0), width - 1)].tolist()
    mixed = [
        weight * own + (1 - weight) * other
        for own, other in zip(choose_colour(track_id), under, strict=True)
    ]
    points = np.rint(line * (1 << SHIFT)).astype(np.int32)
    cv2.polylines(image, [points], False, mixed, thickness_px, cv2.LINE_AA, SHIFT)
