"""What a sequence of one object is, and where its pictures come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from mot_dinov3.errors import InputError
from mot_dinov3.io.info import DEFAULT_FPS
from mot_dinov3.io.read.images import read_image
from mot_dinov3.values import BoolArray, FloatArray, Frame, Image, IntArray, check_shapes


class Pictures(Protocol):
    """The pictures of a sequence, read one by one in any order."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, row: int) -> Image:
        """(H, W, 3) uint8 BGR.

        Raises:
            InputError: it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """Pictures that lie in files.

    Attributes:
        paths: in order of time.
    """

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> Image:
        image = read_image(self.paths[row])
        if image is None:
            raise InputError(
                f"The picture '{self.paths[row]}' cannot be read.",
                fix="Check that it is whole and opens in an image viewer.",
            )
        return image


@dataclass(frozen=True, slots=True)
class PackedPictures:
    """Pictures of a video, which can be read in any order as they are kept as JPEG in memory.

    Attributes:
        files: the bytes of each, in order of time.
    """

    files: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> Image:
        found = cv2.imdecode(np.frombuffer(self.files[row], np.uint8), cv2.IMREAD_COLOR)
        return np.asarray(found, np.uint8)


@dataclass(frozen=True, slots=True)
class ChosenPictures:
    """Some of the pictures of a source that several sequences share.

    Attributes:
        source: all of them.
        rows: (N,) int64 those that are meant.
    """

    source: Pictures
    rows: IntArray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> Image:
        return self.source[int(self.rows[row])]


@dataclass(frozen=True, slots=True)
class SingleObjectSequence:
    """Pictures in order of time and where one object is in them; the first box is known.

    Attributes:
        name: of the sequence.
        pictures: N of them.
        boxes: (N, 4) float32 xyxy in pixels; rows of NaN where the object is absent or where
            nothing is said of it.
        fps: pictures per second.
    """

    name: str
    pictures: Pictures
    boxes: FloatArray
    fps: float = DEFAULT_FPS

    def __post_init__(self) -> None:
        n = len(self.pictures)
        check_shapes("SingleObjectSequence", boxes=(self.boxes, (n, 4)))
        if not n or not self.known[0]:
            raise ValueError(f"SingleObjectSequence {self.name} must begin with a known box")

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def known(self) -> BoolArray:
        """(N,) whether it is known where the object is."""
        return np.asarray(np.isfinite(self.boxes).all(axis=1), np.bool_)

    def read_frame(self, row: int) -> Frame:
        """One picture with its place in the sequence.

        Raises:
            InputError: it cannot be read.
        """
        return Frame(row, row / self.fps, self.pictures[row])


def trim_sequence(
    name: str, pictures: Pictures, boxes: FloatArray, fps: float = DEFAULT_FPS
) -> SingleObjectSequence | None:
    """The sequence from its first to its last known box; None where fewer than two are known."""
    known = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    if len(known) < 2:
        return None
    rows = np.arange(known[0], known[-1] + 1)
    return SingleObjectSequence(name, ChosenPictures(pictures, rows), boxes[rows], fps)


def number_doubles(names: Sequence[str]) -> list[str]:
    """The same names, with "-1", "-2" and so on behind those that stand there more than once."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(f"{name}-{seen[name]}" if names.count(name) > 1 else name)
    return out
