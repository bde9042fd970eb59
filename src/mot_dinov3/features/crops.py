"""Boxes of a frame to a batch of model inputs: windows, cutting, resizing, normalising."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3 import boxes
from mot_dinov3.structures import FloatArray, Image, IntArray, check_shapes

if TYPE_CHECKING:
    import torch

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
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

    @property
    def square(self) -> bool:
        """Whether square crops keep their shape in this input."""
        return self.height == self.width

    @property
    def fill(self) -> list[float]:
        """The RGB colour in 0..255 that becomes zero: the model's idea of nothing."""
        return [min(max(value / self.rescale, 0.0), 255.0) for value in self.mean]


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


def crop_batch(
    image: Image, windows: CropWindows, spec: InputSpec, device: str = "cpu"
) -> torch.Tensor:
    """Cut, resize and normalise all windows of a frame.

    On CUDA the part of the frame that the windows cover is uploaded once and everything else
    happens there. Elsewhere pictures are resized as uint8 on the CPU, where torch has a fast
    antialiased kernel, and the small batch travels.

    Args:
        image: (H, W, 3) uint8 BGR, the whole frame.
        windows: K windows planned for this frame.
        spec: what the model wants to see.
        device: torch device string of the result.

    Returns:
        (K, 3, spec.height, spec.width) float32 RGB on `device`.
    """
    import torch

    on_gpu = device.startswith("cuda")
    pixels, source = _needed_pixels(image, windows.source)
    frame = torch.from_numpy(np.ascontiguousarray(pixels) if on_gpu else pixels)
    frame = frame.to(device) if on_gpu else frame
    bgr = _resized(frame, source, windows.target, spec).to(device)
    rgb = bgr.flip(1).to(torch.float32)
    mean = torch.tensor(spec.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(spec.std, device=device).view(1, 3, 1, 1)
    return rgb.mul_(spec.rescale / std).sub_(mean / std)


def _needed_pixels(image: Image, source: IntArray) -> tuple[Image, IntArray]:
    """The smallest part of the frame that has all windows, and the windows in that part."""
    corner = source[:, :2].min(axis=0)
    x1, y1 = corner.tolist()
    x2, y2 = source[:, 2:].max(axis=0).tolist()
    part = image[y1:y2, x1:x2]
    return part if part.flags.writeable else part.copy(), source - np.tile(corner, 2)


def _resized(
    frame: torch.Tensor, source: IntArray, target: IntArray, spec: InputSpec
) -> torch.Tensor:
    """(K, 3, h, w) BGR in 0..255: uint8 on the CPU, float32 elsewhere."""
    import torch
    from torch.nn.functional import interpolate

    kind = torch.uint8 if frame.device.type == "cpu" else torch.float32
    colour = torch.tensor(spec.fill[::-1]).round().to(frame.device, kind).view(1, 3, 1, 1)
    batch = colour.repeat(len(source), 1, spec.height, spec.width)
    mode = "bicubic" if spec.bicubic else "bilinear"
    for row, (x1, y1, x2, y2) in enumerate(source.tolist()):
        left, top, right, bottom = target[row].tolist()
        crop = frame[y1:y2, x1:x2].permute(2, 0, 1)[None].to(kind)
        into = (bottom - top, right - left)
        resized = interpolate(crop, size=into, mode=mode, antialias=True, align_corners=False)
        batch[row, :, top:bottom, left:right] = resized[0].clamp_(0, 255)
    return batch
