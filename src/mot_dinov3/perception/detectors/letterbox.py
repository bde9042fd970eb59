"""Fits a picture of any shape into a network's input, and maps boxes back into the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mot_dinov3.errors import DeviceFullError
from mot_dinov3.perception.backends.problems import lacks_memory
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import FloatArray, Image

if TYPE_CHECKING:
    import torch

GREY = 114
"""What fills the rest of the input; the value that YOLO was trained with."""


@dataclass(frozen=True, slots=True)
class InputFit:
    """How a picture lies in an input: scaled by `ratio`, then moved by `left` and `top`.

    Attributes:
        source: width and height of the picture in pixels.
        size: height and width of the input in pixels.
        ratio: input pixels per picture pixel.
        inner: width and height of the scaled picture.
        left: columns of grey before it.
        top: rows of grey above it.
    """

    source: tuple[int, int]
    size: tuple[int, int]
    ratio: float
    inner: tuple[int, int]
    left: int
    top: int

    @property
    def right(self) -> int:
        """Columns of grey behind the picture."""
        return self.size[1] - self.inner[0] - self.left

    @property
    def bottom(self) -> int:
        """Rows of grey below it."""
        return self.size[0] - self.inner[1] - self.top

    def to_picture(self, xyxy: FloatArray) -> FloatArray:
        """(N, 4) boxes in input pixels -> in picture pixels, cut to the picture."""
        moved = (xyxy - np.array([self.left, self.top] * 2, np.float32)) / np.float32(self.ratio)
        return np.asarray(moved.clip(0, np.array(self.source * 2, np.float32)), np.float32)

    def from_picture(self, xyxy: FloatArray) -> FloatArray:
        """(N, 4) boxes in picture pixels -> in input pixels."""
        moved = xyxy * np.float32(self.ratio) + np.array([self.left, self.top] * 2, np.float32)
        return np.asarray(moved, np.float32)


def input_size(source: tuple[int, int], longest: int, stride: int) -> tuple[int, int]:
    """Height and width of the smallest input that a picture fits into.

    Its longer side is `longest` or a little more, both sides are multiples of `stride`.

    Args:
        source: width and height of the picture in pixels.
        longest: size asked for, `--imgsz`.
        stride: the network's coarsest step in pixels.
    """
    side = -(-longest // stride) * stride
    ratio = side / max(source)
    width, height = (max(round(length * ratio), 1) for length in source)
    return -(-height // stride) * stride, -(-width // stride) * stride


def fit(source: tuple[int, int], size: tuple[int, int]) -> InputFit:
    """Lay a picture of `source` (width, height) in the middle of an input of `size` (h, w)."""
    width, height = source
    ratio = min(size[0] / height, size[1] / width)
    inner = max(round(width * ratio), 1), max(round(height * ratio), 1)
    left, top = (size[1] - inner[0]) / 2, (size[0] - inner[1]) / 2
    return InputFit(source, size, ratio, inner, round(left - 0.1), round(top - 0.1))


def letterbox(image: Image, how: InputFit) -> FloatArray:
    """(H, W, 3) uint8 BGR -> (1, 3, h, w) float32 RGB in 0..1, grey where there is no picture."""
    if (image.shape[1], image.shape[0]) != how.inner:
        image = cv2.resize(image, how.inner, interpolation=cv2.INTER_LINEAR)
    if how.top or how.left or how.bottom or how.right:
        image = cv2.copyMakeBorder(
            image, how.top, how.bottom, how.left, how.right, cv2.BORDER_CONSTANT, value=(GREY,) * 3
        )
    return np.asarray(cv2.dnn.blobFromImage(image, 1 / 255, swapRB=True), np.float32)


class DeviceLetterbox:
    """Fits pictures into a network's input on a device, up to rounding as `letterbox` does.

    Args:
        upload: brings the picture there, and shares it with an embedder that runs there.
    """

    def __init__(self, upload: FrameUpload) -> None:
        self._upload = upload

    def __call__(self, image: Image, how: InputFit) -> torch.Tensor:
        """(H, W, 3) uint8 BGR -> (1, 3, h, w) float32 RGB in 0..1, grey without a picture.

        Raises:
            DeviceFullError: the device has no memory left.
        """
        import torch
        from torch.nn.functional import interpolate, pad

        width, height = how.inner
        try:
            with torch.inference_mode():
                planes = self._upload(image).permute(2, 0, 1)[None].flip(1).float()
                if (image.shape[1], image.shape[0]) != how.inner:
                    planes = interpolate(planes, size=(height, width), mode="bilinear")
                around = (how.left, how.right, how.top, how.bottom)
                return pad(planes, around, value=float(GREY)) / 255
        except RuntimeError as error:
            if not lacks_memory(error):
                raise
            torch.cuda.empty_cache()
            raise DeviceFullError(
                f"{self._upload.device} has no memory left for a frame.",
                fix="Free the device, or run with --device cpu.",
            ) from error
