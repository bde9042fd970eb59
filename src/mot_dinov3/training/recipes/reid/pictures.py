"""Crops in memory, at the size that a network sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mot_dinov3.data.reid.crops import Crops
from mot_dinov3.io.read.images import read_image
from mot_dinov3.perception.features.crops import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    InputSpec,
    whole_picture,
)
from mot_dinov3.values import BoolArray, Image

Size = tuple[int, int]
"""Height and width in pixels of what a network sees."""

Progress = Callable[[int, int], None]
"""Is told how many pictures of how many were read."""


@dataclass(frozen=True, slots=True)
class LoadedCrops:
    """Crops with their pixels; what cannot be read is not among them.

    Attributes:
        crops: N pictures.
        pixels: (N, 3, h, w) uint8 RGB.
        unreadable: files that were left out.
    """

    crops: Crops
    pixels: Tensor
    unreadable: int


def load_crops(
    crops: Crops, size: Size, progress: Progress = lambda done, total: None
) -> LoadedCrops:
    """Read every picture of a set."""
    pixels, usable = load_pixels(crops.paths, size, progress)
    return LoadedCrops(crops[usable], pixels, int((~usable).sum()))


def load_pixels(
    paths: Sequence[Path], size: Size, progress: Progress = lambda done, total: None
) -> tuple[Tensor, BoolArray]:
    """Read pictures: (M, 3, h, w) uint8 RGB of the M usable ones, and (N,) which are."""
    usable = np.zeros(len(paths), bool)
    pixels = torch.empty(len(paths), 3, *size, dtype=torch.uint8)
    kept = 0
    for row, path in enumerate(paths):
        image = read_image(path)
        if image is not None:
            pixels[kept] = torch.from_numpy(fit_crop(image, size))
            usable[row], kept = True, kept + 1
        progress(row + 1, len(paths))
    return pixels[:kept].clone() if kept < len(paths) else pixels, usable


def fit_crop(image: Image, size: Size) -> Image:
    """(H, W, 3) BGR -> (3, h, w) RGB, resized as embedders do."""
    plain = InputSpec(*size, mean=(0, 0, 0), std=(1, 1, 1), rescale=1)
    grey = np.rint(whole_picture(image, plain))
    return np.asarray(np.clip(grey, 0, 255), np.uint8)


def normalise(pixels: Tensor) -> Tensor:
    """(B, 3, h, w) uint8 RGB -> float32 as networks see it, laid out as CPUs convolve fastest."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    out = (pixels.float() / 255 - mean) / std
    return out.contiguous(memory_format=torch.channels_last)
