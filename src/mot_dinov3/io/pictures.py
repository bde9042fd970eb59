"""Decoded frames to upright BGR pictures of one size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.reformatter import Colorspace, VideoReformatter

from mot_dinov3.values import Image

HD_HEIGHT = 720
UNSPECIFIED_MATRIX = 2


@dataclass(frozen=True, slots=True)
class Turn:
    """How a picture is set upright: transposed first, then mirrored."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, image: Image) -> Image:
        """(H, W, 3) as it is meant to be seen."""
        if self.transpose:
            image = cv2.transpose(image)
        if self.flip_x or self.flip_y:
            image = cv2.flip(image, -1 if self.flip_x and self.flip_y else int(self.flip_x))
        return image


class PictureMaker:
    """Converts any pixel format to BGR, applies the display matrix, keeps the first size."""

    def __init__(self) -> None:
        self.size: tuple[int, int] | None = None
        self.size_changes = 0
        self._last_size: tuple[int, int] | None = None
        self._rotation: int | None = None
        self._turn = Turn()
        self._reformatter = VideoReformatter()

    def from_frame(self, frame: av.VideoFrame) -> Image:
        """(H, W, 3) uint8 BGR of one decoded frame, upright, in the size of the first frame."""
        bgr = self._reformatter.reformat(
            frame, format="bgr24", src_colorspace=_guess_matrix(frame), threads=1
        )
        if frame.rotation != self._rotation:
            # The matrix itself only now: asking a frame for it makes a cycle of references, so
            # that frames pile up until the garbage is collected.
            self._rotation, self._turn = frame.rotation, turn_of(frame)
        return self.fit(self._turn.apply(np.asarray(bgr.to_ndarray(), np.uint8)))

    def turn_aspect(self, pixel_aspect: Fraction) -> Fraction:
        """The shape of a stored pixel (width over height) as it is in the pictures made last."""
        return 1 / pixel_aspect if self._turn.transpose else pixel_aspect

    def fit(self, image: Image) -> Image:
        """The image in the size of the first one, letterboxed where its shape differs."""
        height, width = image.shape[:2]
        if self.size is None:
            self.size = self._last_size = (width, height)
        self.size_changes += self._last_size != (width, height)
        self._last_size = (width, height)
        return image if self.size == (width, height) else letterbox(image, self.size)


def _guess_matrix(frame: av.VideoFrame) -> int | None:
    """Untagged video is BT.601 below 720 lines and BT.709 from there on, as players assume."""
    if frame.colorspace == UNSPECIFIED_MATRIX and frame.height >= HD_HEIGHT:
        return int(Colorspace.ITU709)
    return None


def turn_of(frame: av.VideoFrame) -> Turn:
    """A frame's display matrix: quarter turns and mirrors, other angles to the nearest."""
    side_data = frame.side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return Turn()
    a, b, _, c, d = np.frombuffer(memoryview(cast("SideData", side_data)), np.int32)[:5].tolist()
    if abs(a) >= abs(b):
        return Turn(False, a < 0, d < 0)
    return Turn(True, c < 0, b < 0)


def letterbox(image: Image, size: tuple[int, int]) -> Image:
    """Scale into `size` (width, height) keeping the shape; the rest is black."""
    width, height = size
    scale = min(width / image.shape[1], height / image.shape[0])
    inner_w = min(width, max(1, round(image.shape[1] * scale)))
    inner_h = min(height, max(1, round(image.shape[0] * scale)))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner_w) // 2, (height - inner_h) // 2
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(image, (inner_w, inner_h), interpolation=method)
    canvas[top : top + inner_h, left : left + inner_w] = scaled
    return canvas
