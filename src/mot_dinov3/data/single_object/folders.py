"""`otb:DIR` and `got10k:DIR`: a folder of pictures with a text of one box a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mot_dinov3.data.single_object.base import (
    PictureFiles,
    SingleObjectSequence,
    number_doubles,
    trim_sequence,
)
from mot_dinov3.data.single_object.rectangles import read_marks, read_rectangles
from mot_dinov3.errors import InputError, find_path
from mot_dinov3.io.read.images import images_of, natural_key
from mot_dinov3.values import FloatArray
from mot_dinov3.wording import counted

ABSENCE_FILE = "absence.label"
FIRST_PICTURES = {"David": 300}
"""OTB sequence -> the number of the picture that its first box belongs to, where that is not 1."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a data set lays out a sequence.

    Attributes:
        pictures: the folder of pictures in that of the sequence.
        truths: patterns of the files of boxes; the first that fits something counts, and each
            file that it fits is a sequence: OTB has two objects in some folders.
    """

    pictures: str
    truths: tuple[str, ...]

    def list_truths(self, folder: Path) -> list[Path]:
        """The files of boxes of a sequence; empty where the folder is not one."""
        if not (folder / self.pictures).is_dir():
            return []
        found = (sorted(folder.glob(pattern), key=natural_key) for pattern in self.truths)
        return next((files for files in found if files), [])

    def explain(self) -> str:
        """What a sequence looks like, in words."""
        place = f"{self.pictures}/ for its pictures" if self.pictures else "its pictures"
        return f"A sequence is a folder with {place} and {self.truths[0].replace('*', '')}."


OTB = Layout("img", ("groundtruth_rect*.txt", "groundtruth.txt"))
GOT10K = Layout("", ("groundtruth.txt",))


def read_otb(argument: str) -> list[SingleObjectSequence]:
    """Read a sequence as OTB, UAV123 or LaSOT lay it out, or a folder of them.

    Raises:
        InputError: see `read_folders`.
    """
    return read_folders(Path(argument).expanduser(), OTB)


def read_got10k(argument: str) -> list[SingleObjectSequence]:
    """Read a sequence of GOT-10k, or a folder of them such as `train`.

    Raises:
        InputError: see `read_folders`.
    """
    return read_folders(Path(argument).expanduser(), GOT10K)


def read_folders(folder: Path, layout: Layout) -> list[SingleObjectSequence]:
    """Read the sequence in a folder, or all those in the folders directly in it.

    Raises:
        InputError: there is none, or one is damaged.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"'{folder}' {what}.", fix=find_path(folder))
    folders = [folder]
    if not layout.list_truths(folder):
        folders = sorted((one for one in folder.iterdir() if one.is_dir()), key=natural_key)
    truths = [file for one in folders for file in layout.list_truths(one)]
    if not truths:
        raise InputError(f"'{folder}' holds no sequence.", fix=layout.explain())
    names = name_sequences(truths)
    return [read_sequence(*pair, layout) for pair in zip(truths, names, strict=True)]


def name_sequences(truths: Sequence[Path]) -> list[str]:
    """What sequences are called: as their folders, with OTB's number of the object behind."""
    names = []
    for file in truths:
        number = file.stem.removeprefix("groundtruth_rect").strip("._-")
        names.append(f"{file.resolve().parent.name}{'-' if number else ''}{number}")
    return number_doubles(names)


def read_sequence(truth: Path, name: str, layout: Layout) -> SingleObjectSequence:
    """Read one sequence, from its first to its last known box.

    Args:
        truth: its file of boxes.
        name: what it is called.
        layout: of the data set.

    Raises:
        InputError: a file is damaged, fewer than two boxes are known, or there are more boxes than
            pictures.
    """
    folder = truth.parent / layout.pictures
    files = images_of([*folder.iterdir()], str(folder)).files
    boxes = mark_absent(read_rectangles(truth), truth.parent / ABSENCE_FILE)
    if len(boxes) < len(files):
        files = files[FIRST_PICTURES.get(truth.resolve().parent.name, 1) - 1 :]
    if len(boxes) > len(files):
        raise InputError(
            f"'{truth}' has {counted(len(boxes), 'box', 'boxes')}, but there are "
            f"{counted(len(files), 'picture')} for them.",
            fix="Copy the pictures again: a line is about a picture.",
        )
    found = trim_sequence(name, PictureFiles(tuple(files[: len(boxes)])), boxes)
    if found is None:
        raise InputError(
            f"'{truth}' tells of fewer than two pictures where the object is.",
            fix="Give another sequence.",
        )
    return found


def mark_absent(boxes: FloatArray, path: Path) -> FloatArray:
    """The same boxes, with NaN where GOT-10k's `absence.label` has a 1; it need not be there.

    Raises:
        InputError: it cannot be read, or has another length.
    """
    if not path.is_file():
        return boxes
    marks = read_marks(path)
    if len(marks) != len(boxes):
        raise InputError(
            f"'{path}' has {counted(len(marks), 'line')} for "
            f"{counted(len(boxes), 'box', 'boxes')}.",
            fix="Copy it again, or take it away.",
        )
    return np.where(marks[:, None] > 0, np.float32(np.nan), boxes)
