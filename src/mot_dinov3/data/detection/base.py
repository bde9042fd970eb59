"""What a data set of detection is: pictures, the boxes in them, and what had to be left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mot_dinov3.values import FloatArray, IntArray, boxes, check_shapes
from mot_dinov3.wording import counted


@dataclass(frozen=True, slots=True)
class DetectionExample:
    """One picture and the N objects that are marked in it; none where it shows nothing of interest.

    Attributes:
        picture: its file, which nothing has opened yet.
        cxcywh: (N, 4) float32 centre, width and height as shares of the picture, inside of it.
        class_id: (N,) int64, keys of `DetectionSet.names`.
    """

    picture: Path
    cxcywh: FloatArray
    class_id: IntArray

    def __post_init__(self) -> None:
        n = len(self.cxcywh)
        check_shapes(
            "DetectionExample", cxcywh=(self.cxcywh, (n, 4)), class_id=(self.class_id, (n,))
        )

    def __len__(self) -> int:
        return len(self.cxcywh)

    def place_boxes(self, width: int, height: int) -> FloatArray:
        """(N, 4) float32 xyxy in pixels, in a picture of that size."""
        return boxes.cxcywh_to_xyxy(self.cxcywh) * np.array([width, height] * 2, np.float32)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a data set says that cannot be used.

    Attributes:
        counts: a key of `REASONS` -> how often it came up.
        places: the same key -> where it came up first.
    """

    counts: Mapping[str, int]
    places: Mapping[str, str]

    def __len__(self) -> int:
        return sum(self.counts.values())

    @property
    def sentence(self) -> str:
        """All of it in one sentence; "" for nothing."""
        parts = [
            f"{counted(self.counts[reason], *words)} ({self.places[reason]})"
            for reason, words in REASONS.items()
            if self.counts.get(reason)
        ]
        return f"Left out: {', '.join(parts)}." if parts else ""


REASONS = {
    "picture": ("picture that is not there", "pictures that are not there"),
    "labels": (
        "picture whose labels cannot be read",
        "pictures whose labels cannot be read",
    ),
    "line": (
        "line that is not a class and four numbers",
        "lines that are not a class and four numbers",
    ),
    "class": (
        "box of a class that has no name",
        "boxes of classes that have no name",
    ),
    "outside": ("box outside of its picture", "boxes outside of their pictures"),
    "repeated": ("box that is there twice", "boxes that are there twice"),
}
"""Reason to leave something out -> what one, and what several of them are called."""


@dataclass(frozen=True, slots=True)
class DetectionSet:
    """One split of a data set.

    Attributes:
        names: class id -> class name.
        examples: in the order of their files.
        left_out: what could not be used.
    """

    names: Mapping[int, str]
    examples: tuple[DetectionExample, ...]
    left_out: LeftOut = LeftOut(MappingProxyType({}), MappingProxyType({}))

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def box_count(self) -> int:
        """How many objects are marked in all pictures together."""
        return sum(map(len, self.examples))
