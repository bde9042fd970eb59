"""The square of a picture in which an object is shown to a network, or searched."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mot_dinov3.values import FloatArray, Image

LEAST_SIDE_PX, MOST_SIDE_PX = 8, 1 << 16
FILL = (104, 116, 124)
"""ImageNet's mean colour in BGR, where the picture has no pixels."""


@dataclass(frozen=True, slots=True)
class Window:
    """A square of a picture, which may reach over its border.

    Attributes:
        left: of its first column, in pixels.
        top: of its first row.
        side: rows and columns.
    """

    left: int
    top: int
    side: int

    def enter(self, xyxy: FloatArray) -> FloatArray:
        """Boxes (..., 4) in pixels of the picture as shares of the window's side."""
        out: FloatArray = (xyxy - self._corners) / np.float32(self.side)
        return out

    def leave(self, shares: FloatArray) -> FloatArray:
        """The boxes (..., 4) in pixels of the picture that `enter` made these shares of."""
        out: FloatArray = shares * np.float32(self.side) + self._corners
        return out

    @property
    def _corners(self) -> FloatArray:
        return np.array([self.left, self.top] * 2, np.float32)


def plan_window(xyxy: FloatArray, factor: float) -> Window:
    """The window round a box (4,) of usable numbers.

    Args:
        xyxy: the box.
        factor: its side, in square roots of the box's area.
    """
    width, height = np.maximum(xyxy[2:] - xyxy[:2], 1).tolist()
    side = int(np.clip(round(factor * (width * height) ** 0.5), LEAST_SIDE_PX, MOST_SIDE_PX))
    left, top = np.rint((xyxy[:2] + xyxy[2:] - side) / 2).astype(int).tolist()
    return Window(left, top, side)


def cut_window(image: Image, window: Window, size_px: int) -> Image:
    """(size_px, size_px, 3) BGR, what a window of a picture (H, W, 3) shows.

    Only pixels that are there are resized, so that a window far larger than the picture costs
    nothing.
    """
    start = np.array([window.left, window.top])
    first = np.maximum(start, 0)
    last = np.minimum(start + window.side, (image.shape[1], image.shape[0]))
    scale = size_px / window.side
    begin = np.rint((first - start) * scale).astype(int)
    end = np.rint((last - start) * scale).astype(int)
    if (last <= first).any() or (end <= begin).any():
        return np.full((size_px, size_px, 3), FILL, np.uint8)
    seen = image[first[1] : last[1], first[0] : last[0]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(seen, tuple((end - begin).tolist()), interpolation=how)
    if small.shape[:2] == (size_px, size_px):
        return np.asarray(small, np.uint8)
    out = np.full((size_px, size_px, 3), FILL, np.uint8)
    out[begin[1] : end[1], begin[0] : end[0]] = small
    return out
