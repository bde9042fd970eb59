"""Whether a picture has changed where nothing is followed: something may have come."""

from __future__ import annotations

import cv2
import numpy as np

from mot_dinov3.values import FloatArray, Frame, Image
from mot_dinov3.values.boxes import area, pad

STEP_PX = 8
"""Pictures are made so many times smaller before they are compared."""
LEVELS = 20
"""Grey levels by which a pixel changes that counts."""
MARGIN = 0.25
"""Boxes are left out with this margin, as what is followed moves."""
LEAST_PART = 0.25
"""A change counts from this part of the smallest box on that is followed."""
LEAST_SHARE = 0.0015
"""The same as a share of the picture, where nothing is followed."""
CAMERA_SHARE = 0.3
"""Where so much of the picture changes, it is the camera that moved, which says nothing."""


class PictureChange:
    """Compares small grey pictures with the one of the last detection."""

    def __init__(self) -> None:
        self._newest: tuple[int, Image] | None = None
        self._base: Image | None = None
        self._boxes: FloatArray = np.empty((0, 4), np.float32)

    def restart(self, frame: Frame, boxes: FloatArray) -> None:
        """Compare with this frame from now on, in which `boxes` (N, 4) pixels are known."""
        self._base, self._boxes = self._shrink(frame), boxes

    def measure(self, frame: Frame, boxes: FloatArray) -> bool:
        """Whether something of the size of an object changed outside `boxes` (T, 4) pixels."""
        small = self._shrink(frame)
        if self._base is None or self._base.shape != small.shape:
            return False
        changed = (cv2.absdiff(small, self._base) > LEVELS).astype(np.uint8)
        known = np.concatenate([boxes, self._boxes])
        for left, top, right, bottom in np.round(pad(known, MARGIN) / STEP_PX).astype(int):
            changed[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = 0
        if changed.mean() >= CAMERA_SHARE:
            return False
        whole = cv2.morphologyEx(changed, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        count, _, shapes, _ = cv2.connectedComponentsWithStats(whole)
        largest = int(shapes[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0
        return largest >= self._find_least(known, small)

    def _shrink(self, frame: Frame) -> Image:
        """The small picture, kept for a frame that is measured and then restarted with."""
        if self._newest is None or self._newest[0] != frame.index:
            self._newest = frame.index, shrink(frame)
        return self._newest[1]

    def _find_least(self, known: FloatArray, small: Image) -> float:
        """Pixels of the small picture from which on a change counts."""
        if not len(known):
            return LEAST_SHARE * small.size
        return max(2.0, LEAST_PART * float(area(known).min()) / STEP_PX**2)


def shrink(frame: Frame) -> Image:
    """The picture in grey, `STEP_PX` times smaller; every other line says enough."""
    size = max(1, frame.width // STEP_PX), max(1, frame.height // STEP_PX)
    small = cv2.resize(frame.image[::2], size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
