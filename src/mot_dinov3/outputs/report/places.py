"""Where objects were, collected while a run goes: a grid over the picture, and a still of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.report.track_history import find_feet
from mot_dinov3.values import Image, Tracks, boxes

Grid = NDArray[np.int64]

CELLS = 64
"""Cells along the longer side of the picture."""
STILL_PX = 800
"""Length of the longer side of the still."""
QUALITY = 68
EMPTIER = 0.8
"""Share of the area of boxes below which a frame takes the place of the still, so that few do."""


class PlaceGrid:
    """Counts in how many frames objects stood in each part of the picture.

    Attributes:
        size: width and height of the picture in pixels, None before the first frame.
        counts: (rows, columns) frames in which the lower middle of a box was in the cell.
        frames: (rows, columns) the last such row of the frame table.
    """

    def __init__(self) -> None:
        self.size: tuple[int, int] | None = None
        self.counts: Grid = np.zeros((0, 0), np.int64)
        self.frames: Grid = np.zeros((0, 0), np.int64)

    def add(self, row: int, tracks: Tracks, size: tuple[int, int] | None) -> None:
        """Take the confirmed tracks that are seen in the next frame.

        Args:
            row: of the frame in the frame table.
            tracks: of the frame.
            size: width and height of the picture, None if unknown; then nothing is counted.
        """
        if size is None:
            return
        if self.size is None:
            self.size = size
            self.counts = np.zeros(self.shape, np.int64)
            self.frames = np.zeros(self.shape, np.int64)
        (rows, columns), (width, height) = self.counts.shape, self.size
        for box in tracks.xyxy[tracks.present].tolist():
            x, y = find_feet(box)
            if 0 <= x < width:
                # Feet below the picture stand at its edge.
                down = int(min(max(y, 0), height - 0.5) * rows / height)
                across = int(x * columns / width)
                self.counts[down, across] += 1
                self.frames[down, across] = row

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid: its cells are about square."""
        width, height = self.size or (1, 1)
        longest = max(width, height)
        return max(1, round(CELLS * height / longest)), max(1, round(CELLS * width / longest))


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of the place, small.

    Attributes:
        jpeg: the picture.
    """

    jpeg: bytes

    @property
    def address(self) -> str:
        """The picture as a data address."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.jpeg).decode('ascii')}"


def make_still(image: Image) -> Still | None:
    """A small picture of a frame (H, W, 3) BGR; None where it cannot be made."""
    height, width = image.shape[:2]
    scale = min(1.0, STILL_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return Still(jpeg.tobytes()) if done else None


class StillPicker:
    """Keeps the frame of a run in which boxes cover least.

    Attributes:
        still: of the frames so far, None before the first one.
    """

    def __init__(self) -> None:
        self.still: Still | None = None
        self._covered = np.inf

    def offer(self, image: Image, tracks: Tracks) -> None:
        """Take the next frame if it is emptier.

        Args:
            image: (H, W, 3) uint8 BGR.
            tracks: of the frame.
        """
        inside = boxes.clip(np.nan_to_num(tracks.xyxy), image.shape[1], image.shape[0])
        covered = float(boxes.area(inside).sum())
        if self.still is None or covered < EMPTIER * self._covered:
            self.still, self._covered = make_still(image), covered
