"""Boxes of a frame to a batch of model inputs: windows, cutting, resizing, normalising."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.features.resampling import resampling
from mot_dinov3.values import FloatArray, Image, IntArray, boxes, check_shapes

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
MOST_PIXELS = 1 << 24
"""Of one input picture: 200 MB."""
FARTHEST_PX = 1e6
"""Coordinates beyond this are cut off, so that a wild box cannot overflow the arithmetic."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a model wants to see: `(pixel * rescale - mean) / std`, RGB, at one size.

    Attributes:
        height: rows of the input picture in pixels.
        width: columns of the input picture in pixels.
        mean: per RGB channel, after rescaling.
        std: per RGB channel, after rescaling.
        rescale: factor from 0..255 to the model's range.
        bicubic: resize with a cubic instead of a linear kernel (both antialiased).
    """

    height: int
    width: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    rescale: float = 1 / 255
    bicubic: bool = False

    def __post_init__(self) -> None:
        scales = (*self.mean, *self.std, self.rescale)
        pixels = self.height * self.width
        if min(self.height, self.width) < 1 or pixels > MOST_PIXELS:
            raise ModelError(
                f"The model asks for pictures of {self.width:.6g}x{self.height:.6g} pixels.",
                fix=f"A picture has 1 to {MOST_PIXELS} pixels: choose another --embed-model.",
            )
        if not all(math.isfinite(value) for value in scales) or min(self.std) <= 0:
            raise ModelError(
                "The model asks for pictures that are scaled by a number that is not usable "
                f"(mean {self.mean}, std {self.std}, factor {self.rescale:g}).",
                fix="Correct its settings, or choose another --embed-model.",
            )

    @property
    def scale_and_shift(self) -> tuple[FloatArray, FloatArray]:
        """(3,) float32 each, RGB: `pixel * scale - shift` is what the model sees."""
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        return np.float32(self.rescale) / std, mean / std

    @property
    def square(self) -> bool:
        """Whether square crops keep their shape in this input."""
        return self.height == self.width


@dataclass(frozen=True, slots=True)
class CropWindows:
    """Which pixels of a frame become which pixels of the model's input.

    Attributes:
        rows: (K,) int64, the boxes that can be cropped; the others have no pixel in the frame.
        source: (K, 4) int64 xyxy inside the frame, at least one pixel each.
        target: (K, 4) int64 xyxy inside the input picture, at least one pixel each.
    """

    rows: IntArray
    source: IntArray
    target: IntArray

    def __post_init__(self) -> None:
        n = len(self.rows)
        check_shapes("CropWindows", source=(self.source, (n, 4)), target=(self.target, (n, 4)))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice) -> CropWindows:
        """Some of the windows, in the same order."""
        return CropWindows(self.rows[part], self.source[part], self.target[part])


@dataclass(frozen=True, slots=True)
class CropShape:
    """How a box becomes the input of a model.

    Attributes:
        spec: what the model wants to see.
        pad: growth of each side, as a ratio of the box's width or height.
        square: make the window as wide as it is high.
    """

    spec: InputSpec
    pad: float
    square: bool

    def windows(self, xyxy: FloatArray, frame_wh: tuple[int, int]) -> CropWindows:
        """Plan the crops of (M, 4) boxes; see `crop_windows`."""
        return crop_windows(xyxy, frame_wh, self.spec, self.pad, self.square)


def crop_windows(
    xyxy: FloatArray, frame_wh: tuple[int, int], spec: InputSpec, pad: float, square: bool
) -> CropWindows:
    """Plan the crop of every box that shows at least a part of the frame.

    A window is the box grown by `pad` on every side, then cut to the frame. A square window
    keeps its place and its proportions at the border: what the frame does not have stays at the
    model's mean colour. Stretching the rest would change the shape of a person who leaves the
    picture, and moving the window would put other people into it. A window that follows the box
    (`square` off) is resized to the whole input.

    Args:
        xyxy: (M, 4) float32 boxes in pixels of the frame; may hold NaN or reach outside.
        frame_wh: width and height of the frame.
        spec: the input picture to fill.
        pad: growth of each side, as a ratio of the box's width or height.
        square: make the window as wide as it is high.
    """
    rows = _croppable_rows(xyxy, frame_wh)
    usable = np.clip(xyxy[rows].astype(np.float32), -FARTHEST_PX, FARTHEST_PX)
    window = boxes.pad(usable, pad, square=square).astype(np.float64)
    size = np.maximum(np.rint(window[:, 2:] - window[:, :2]), 1)
    start = np.rint((window[:, :2] + window[:, 2:] - size) / 2)
    limit = np.array(frame_wh, np.float64)
    begin = np.clip(start, 0, limit - 1)
    end = np.clip(start + size, begin + 1, limit)
    into = np.array([spec.width, spec.height], np.float64)
    if square:
        first = np.clip(np.rint((begin - start) / size * into), 0, into - 1)
        last = np.clip(np.rint((end - start) / size * into), first + 1, into)
    else:
        first, last = np.zeros_like(begin), np.broadcast_to(into, begin.shape)
    source = np.concatenate([begin, end], axis=1).astype(np.int64)
    return CropWindows(rows, source, np.concatenate([first, last], axis=1).astype(np.int64))


def _croppable_rows(xyxy: FloatArray, frame_wh: tuple[int, int]) -> IntArray:
    finite = np.isfinite(xyxy).all(axis=1, keepdims=True)
    visible = boxes.area(boxes.clip(np.where(finite, xyxy, 0), *frame_wh)) > 0
    return np.flatnonzero(visible)


def cpu_batch(image: Image, windows: CropWindows, spec: InputSpec) -> FloatArray:
    """Cut, resize (antialiased) and normalise all windows of a frame.

    Resizing is two products with sparse matrices: as exact as torch's resizing of floats, and
    done long before torch would be imported.

    Args:
        image: (H, W, 3) uint8 BGR, the whole frame.
        windows: K windows planned for this frame.
        spec: what the model wants to see.

    Returns:
        (K, 3, spec.height, spec.width) float32 RGB; what the frame does not have is 0, the
        model's mean colour.
    """
    scale, shift = (c[:, None, None] for c in spec.scale_and_shift)
    out = np.zeros((len(windows), 3, spec.height, spec.width), np.float32)
    for row, (x1, y1, x2, y2) in enumerate(windows.source.tolist()):
        left, top, right, bottom = windows.target[row].tolist()
        part = out[row, :, top:bottom, left:right]
        bgr = _resized(image[y1:y2, x1:x2], bottom - top, right - left, spec.bicubic)
        np.multiply(bgr[::-1], scale, out=part)
        np.subtract(part, shift, out=part)
    return out


def whole_picture(image: Image, spec: InputSpec) -> FloatArray:
    """(3, spec.height, spec.width) float32 what a model sees of a whole picture (H, W, 3) BGR."""
    height, width = image.shape[:2]
    whole = np.array([[0, 0, width, height]], np.float32)
    windows = crop_windows(whole, (width, height), spec, 0, square=False)
    out: FloatArray = cpu_batch(image, windows, spec)[0]
    return out


def _resized(crop: Image, height: int, width: int, cubic: bool) -> FloatArray:
    """(h, w, 3) uint8 -> (3, height, width) float32 in 0..255."""
    h, w = crop.shape[:2]
    lines = resampling(h, height, cubic).times(crop.astype(np.float32).reshape(h, w * 3))
    columns = lines.reshape(height, w, 3).transpose(1, 2, 0).reshape(w, 3 * height)
    out: FloatArray = resampling(w, width, cubic).times(columns)
    if cubic:
        np.clip(out, 0, 255, out=out)
    return out.reshape(width, 3, height).transpose(1, 2, 0)
