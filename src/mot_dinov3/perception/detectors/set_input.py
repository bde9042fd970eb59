"""Makes the input of a detector of transformers as its own image processor does, only faster.

The processor itself is asked once for each size of picture how large it makes it and where it
puts it, so that no rule of a family is written down twice. Pixels are resized by the same function
of torchvision; OpenCV then subtracts and divides in a tenth of the time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mot_dinov3.errors import DeviceFullError
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import FloatArray, Image
from mot_dinov3.values.boxes import clip, cxcywh_to_xyxy

if TYPE_CHECKING:
    import torch

PLANES = 3
LEVELS = 255.0
NEAREST, BILINEAR = 0, 2
"""PIL's numbers of filters; what is neither is resized by cubic ones."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a picture lies in an input: scaled to `inner` at the upper left, a border behind it.

    Attributes:
        source: width and height of the picture in pixels.
        inner: height and width of the scaled picture.
        size: height and width of the input.
    """

    source: tuple[int, int]
    inner: tuple[int, int]
    size: tuple[int, int]

    @property
    def has_border(self) -> bool:
        """Whether the picture does not fill the input."""
        return self.inner != self.size

    def to_picture(self, cxcywh: FloatArray) -> FloatArray:
        """(N, 4) boxes as shares of the whole input -> (N, 4) xyxy in pixels of the picture.

        A picture with a border fills a part of the input only, so shares of the input are larger
        shares of the picture.
        """
        scale = [
            whole / part * pixels
            for whole, part, pixels in zip(
                self.size[::-1], self.inner[::-1], self.source, strict=True
            )
        ]
        xyxy = cxcywh_to_xyxy(cxcywh) * np.array(scale * 2, np.float32)
        return clip(xyxy, *self.source)


class SetInput:
    """Turns pictures into what a model wants to see.

    Args:
        processor: of transformers.
        longest: side in pixels that the input shall have; 0 for the processor's own size.
        step: both sides of an input of fixed size are multiples of it.
        smooth: whether the processor smooths what it makes smaller.
    """

    def __init__(
        self,
        processor: Any,  # noqa: ANN401 - of transformers
        *,
        longest: int = 0,
        step: int = 1,
        smooth: bool = True,
    ) -> None:
        known = processor.to_dict()
        self._processor = processor
        self._more = scale_size(known, longest, step) if longest else {}
        self._smooth = smooth
        self._filter = name_filter(known.get("resample"))
        self._border = read_size(self._more.get("pad_size") or known.get("pad_size"))
        self._mean, self._std = read_normalisation(known)
        self._placings: dict[tuple[int, int], Placing] = {}

    def place(self, width: int, height: int) -> Placing:
        """Where a picture of that size will lie.

        Raises:
            ValueError: the processor cannot make anything of it.
        """
        if (width, height) not in self._placings:
            blank = np.zeros((height, width, PLANES), np.uint8)
            more = self._more | self._turn_border(upright=height > width)
            out = self._processor(images=blank, return_tensors="np", **more)
            size = out["pixel_values"].shape[-2:]
            mask = out.get("pixel_mask")
            inner = size if mask is None else (int(mask[0, :, 0].sum()), int(mask[0, 0].sum()))
            self._placings[width, height] = Placing((width, height), inner, size)
        return self._placings[width, height]

    def _turn_border(self, *, upright: bool) -> dict[str, Any]:
        """The border of an input that is fixed, upright for upright pictures; else they stick out.

        A picture may be upright where those that the model learned from were not.
        """
        height, width = self._border.get("height", 0), self._border.get("width", 0)
        if not height or not width:
            return {}
        if upright == (height > width):
            return {"pad_size": self._border}
        return {"pad_size": {"height": width, "width": height}}

    def prepare(self, image: Image, how: Placing) -> FloatArray:
        """(H, W, 3) uint8 BGR -> (1, 3, h, w) float32 normalised RGB.

        With a border there is a fourth plane: 1 where the picture is, 0 on the border.
        """
        import torch

        small = self._resize(torch.from_numpy(image), how).numpy()
        mean = (self._mean * LEVELS).tolist()
        pixels = cv2.dnn.blobFromImage(small, 1.0, mean=mean, swapRB=True)
        for plane, std in zip(pixels[0], self._std, strict=True):
            plane *= np.float32(1 / (LEVELS * std))
        if not how.has_border:
            return np.asarray(pixels, np.float32)
        out = np.zeros((1, PLANES + 1, *how.size), np.float32)
        height, width = how.inner
        out[:, :PLANES, :height, :width] = pixels
        out[:, PLANES, :height, :width] = 1
        return out

    def prepare_on(self, upload: FrameUpload, image: Image, how: Placing) -> torch.Tensor:
        """The same as `prepare` on the device that `upload` brings pictures to.

        Raises:
            DeviceFullError: the device has no memory left.
        """
        import torch

        try:
            with torch.inference_mode():
                return self._prepare_on(upload(image), how)
        except torch.OutOfMemoryError as error:
            raise DeviceFullError(
                f"{upload.device} has no memory left for a frame.",
                fix="Free the device, or run with --device cpu.",
            ) from error

    def _prepare_on(self, frame: torch.Tensor, how: Placing) -> torch.Tensor:
        import torch
        from torch.nn.functional import pad

        colours = self._resize(frame, how).permute(2, 0, 1).flip(0)[None].float()
        mean, std = (
            torch.tensor(values * LEVELS, dtype=torch.float32, device=frame.device)[:, None, None]
            for values in (self._mean, self._std)
        )
        pixels = (colours - mean) / std
        if not how.has_border:
            return pixels
        pixels = torch.cat((pixels, torch.ones_like(pixels[:, :1])), dim=1)
        below, behind = how.size[0] - how.inner[0], how.size[1] - how.inner[1]
        return pad(pixels, (0, behind, 0, below))

    def _resize(self, pixels: torch.Tensor, how: Placing) -> torch.Tensor:
        """(H, W, 3) uint8 -> (h, w, 3), rounded to grey levels where it is smoothed."""
        from torchvision.transforms.v2 import InterpolationMode, functional

        if tuple(pixels.shape[:2]) == how.inner:
            return pixels
        planes = pixels.permute(2, 0, 1)
        small = functional.resize(
            planes if self._smooth else planes.float(),
            [*how.inner],
            interpolation=InterpolationMode(self._filter),
            antialias=self._smooth,
        )
        return small.permute(1, 2, 0).contiguous()


def name_filter(number: int | None) -> str:
    """What torchvision calls a filter, by PIL's number of it; bilinear for None."""
    return {NEAREST: "nearest", BILINEAR: "bilinear", None: "bilinear"}.get(number, "bicubic")


def read_normalisation(known: Mapping[str, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    """(3,) float64 mean and deviation that a processor takes off and divides by, RGB in 0..1.

    Args:
        known: its `to_dict()`.
    """
    factor = known.get("rescale_factor") or 1 / LEVELS
    scale = factor * LEVELS if known.get("do_rescale", True) else LEVELS
    on = known.get("do_normalize", True)
    mean = np.broadcast_to(np.float64(known["image_mean"] if on else 0.0), (PLANES,))
    std = np.broadcast_to(np.float64(known["image_std"] if on else 1.0), (PLANES,))
    return mean / scale, std / scale


def scale_size(known: Mapping[str, Any], longest: int, step: int) -> dict[str, Any]:
    """What a processor is told so that the longer side of the picture becomes `longest` pixels.

    A fixed size keeps the ratio of its sides; one with a border around it shrinks with the border.

    Args:
        known: the processor's `to_dict()`.
        longest: pixels.
        step: sides of a fixed size, and of a border, become multiples of it.
    """
    size, border = read_size(known["size"]), read_size(known.get("pad_size"))
    ratio = longest / max(size.values())
    if "height" in size:
        return {"size": {key: round_to(value * ratio, step) for key, value in size.items()}}
    if not border:
        return {"size": {"shortest_edge": longest, "longest_edge": longest}}
    return {
        "size": {key: max(1, round(value * ratio)) for key, value in size.items()},
        "pad_size": {key: round_to(value * ratio, step, up=True) for key, value in border.items()},
    }


def read_size(size: Any) -> dict[str, int]:  # noqa: ANN401 - a dictionary, or one of transformers
    """The sides in pixels that a processor's setting names; none for None."""
    return {key: int(value) for key, value in dict(size or {}).items() if value}


def round_to(length: float, step: int, *, up: bool = False) -> int:
    """The multiple of `step` nearest to a length, or the next one; at least one."""
    return max(1, math.ceil(length / step) if up else round(length / step)) * step
