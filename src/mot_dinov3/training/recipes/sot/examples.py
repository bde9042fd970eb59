"""What one lesson of a single-object network is, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch

from mot_dinov3.perception.searchers.windows import Window, cut_window
from mot_dinov3.values import FloatArray, Image

LIGHT, TINT, GREY = 0.25, 0.08, 0.05
"""How far brightness and contrast, and each channel, move; share of examples without colours."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the pictures that a network sees.

    Attributes:
        search_px: side of a search picture.
        template_px: side of a template.
        templates: of an object.
    """

    search_px: int
    template_px: int
    templates: int


@dataclass(frozen=True, slots=True)
class Example:
    """An object shown in some pictures, and another picture to find it in.

    Attributes:
        templates: (T, T, 3) uint8 BGR each, of an object.
        marks: (4,) xyxy each, where it is in them as shares of their side.
        search: (S, S, 3) uint8 BGR.
        box: (4,) where it is in `search`, as shares of its side; NaN where it is not.
    """

    templates: Sequence[Image]
    marks: Sequence[FloatArray]
    search: Image
    box: FloatArray


class Batch(NamedTuple):
    """B examples.

    Attributes:
        templates: (B, K, T, T, 3) uint8 BGR.
        marks: (B, K, 4) float32.
        search: (B, S, S, 3) uint8 BGR.
        boxes: (B, 4) float32, rows of NaN where the object is not.
    """

    templates: torch.Tensor
    marks: torch.Tensor
    search: torch.Tensor
    boxes: torch.Tensor


class Source(Protocol):
    """Draws examples."""

    def draw(self, rng: np.random.Generator) -> Example:
        """One example, decided by `rng` alone."""


def stack_examples(examples: Sequence[Example]) -> Batch:
    """The batch of examples of one size."""
    arrays = (
        np.stack([np.stack(one.templates) for one in examples]),
        np.stack([np.stack(one.marks) for one in examples]).astype(np.float32),
        np.stack([one.search for one in examples]),
        np.stack([one.box for one in examples]).astype(np.float32),
    )
    return Batch(*(torch.from_numpy(array) for array in arrays))


def cut_with_box(
    image: Image, window: Window, xyxy: FloatArray, size_px: int
) -> tuple[Image, FloatArray]:
    """What a window shows, and a box (4,) of the picture as shares of the window."""
    return cut_window(image, window, size_px), window.enter(xyxy)


def vary(example: Example, rng: np.random.Generator) -> Example:
    """The same in another light and perhaps mirrored; search and templates differ a little."""
    mirrored, grey = rng.random() < 0.5, rng.random() < GREY
    tint = rng.uniform(-TINT, TINT, 3)

    def change(image: Image) -> Image:
        gain = (1 + rng.uniform(-LIGHT, LIGHT)) * (1 + tint)
        shift = 128 * rng.uniform(-LIGHT, LIGHT)
        moved = np.clip(image * gain.astype(np.float32) + np.float32(shift), 0, 255)
        out = moved.astype(np.uint8)
        if grey:
            out = np.repeat(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
        return np.ascontiguousarray(out[:, ::-1]) if mirrored else out

    def turn(box: FloatArray) -> FloatArray:
        return np.array([1 - box[2], box[1], 1 - box[0], box[3]]) if mirrored else box

    return Example(
        [change(one) for one in example.templates],
        [turn(mark) for mark in example.marks],
        change(example.search),
        turn(example.box),
    )
