"""Crops in folders: who is shown, by which camera, in which frame, read off the names of files.

Names follow Market-1501, `PPPP_cCs1_NNNNNN_00.jpg`: identity, camera, sequence, frame, number. A
file of another name inside a folder of its own shows the identity that the folder is named after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mot_dinov3.errors import InputError, find_path
from mot_dinov3.io.read.images import IMAGE_SUFFIXES, natural_key
from mot_dinov3.values import BoolArray, IntArray, check_shapes
from mot_dinov3.wording import counted, make_printable

UNKNOWN = -1
"""A camera, a sequence or a frame that a name does not tell."""
JUNK = "-1"
"""What Market-1501 calls boxes of no object."""

MARKET = re.compile(
    r"(?P<who>-1|\d+)_c(?P<camera>\d+)(?:s(?P<sequence>\d+))?(?:_f?(?P<frame>\d+))?"
)
CAMERA = re.compile(r"(?:^|[_\-.])c(?:am)?(\d+)(?:s(\d+))?(?:_f?(\d+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Crops:
    """Pictures of one object each; element i of every field is about the same picture.

    Attributes:
        paths: N files.
        identity: (N,) int64, index into `names`.
        camera: (N,) int64, `UNKNOWN` where the name does not tell.
        sequence: (N,) int64, part of a camera's recording, or `UNKNOWN`.
        frame: (N,) int64, or `UNKNOWN`.
        names: what the identities are called in the names of the files.
        left_out: files that are pictures but name no identity.
    """

    paths: tuple[Path, ...]
    identity: IntArray
    camera: IntArray
    sequence: IntArray
    frame: IntArray
    names: tuple[str, ...]
    left_out: int = 0

    def __post_init__(self) -> None:
        n = len(self.paths)
        columns = {name: (getattr(self, name), (n,)) for name in COLUMNS}
        check_shapes("Crops", **columns)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: IntArray | BoolArray) -> Crops:
        """Select rows; the names of identities stay, so that their numbers do."""
        chosen = np.arange(len(self))[rows]
        columns = {name: getattr(self, name)[chosen] for name in COLUMNS}
        return replace(self, paths=tuple(self.paths[i] for i in chosen.tolist()), **columns)

    @property
    def cameras(self) -> int:
        """How many cameras there are."""
        return len(np.unique(self.camera))

    @property
    def identities(self) -> int:
        """How many identities are shown."""
        return len(np.unique(self.identity))


COLUMNS = ("identity", "camera", "sequence", "frame")


def read_crops(folder: Path) -> Crops:
    """List the pictures of a folder and of the folders in it, in natural order.

    Args:
        folder: Market-style files, or a folder for each identity.

    Raises:
        InputError: it is not there, or no picture in it names an identity.
    """
    _require_folder(folder)
    files = list_pictures(folder)
    found = [(path, facts) for path in files if (facts := _facts_of(path, folder)) is not None]
    if not found:
        raise InputError(
            f"No picture of an identity in '{folder}': {_say_what_is_there(files)}.",
            fix="Name files like 0007_c1s1_000123_00.jpg, or give each identity a folder.",
        )
    return build_crops(
        [path for path, _ in found], [facts for _, facts in found], len(files) - len(found)
    )


Facts = tuple[str, int, int, int]
"""Name of the identity, camera, sequence, frame."""


def build_crops(paths: Sequence[Path], facts: Sequence[Facts], left_out: int = 0) -> Crops:
    """Number the identities of pictures in the order of their names."""
    names = sorted({who for who, *_ in facts}, key=_order_of)
    number = {name: i for i, name in enumerate(names)}
    rows = np.array([(number[who], *rest) for who, *rest in facts], np.int64).reshape(-1, 4)
    identity, camera, sequence, frame = rows.T.copy()
    return Crops(tuple(paths), identity, camera, sequence, frame, tuple(names), left_out)


def _order_of(name: str) -> tuple[list[list[tuple[int, str]]], str]:
    """Sorts names of nested folders part by part, and those that differ in zeros alone as text."""
    return [natural_key(Path(part)) for part in name.split("/")], name


def join_crops(parts: Sequence[Crops], prefixes: Sequence[str]) -> Crops:
    """Put several sets together, each with identities and cameras of its own.

    Args:
        parts: the sets.
        prefixes: for the names of the identities, one a set.
    """
    facts: list[Facts] = []
    cameras = 0
    for part, prefix in zip(parts, prefixes, strict=True):
        _, camera = np.unique(part.camera, return_inverse=True)
        for row in range(len(part)):
            who = prefix + part.names[part.identity[row]]
            place = int(camera[row]) + cameras
            facts.append((who, place, int(part.sequence[row]), int(part.frame[row])))
        cameras += part.cameras
    paths = [path for part in parts for path in part.paths]
    return build_crops(paths, facts, sum(part.left_out for part in parts))


def list_pictures(folder: Path) -> list[Path]:
    """The image files of a folder and of all folders in it, in natural order."""
    return sorted(_walk(folder), key=lambda path: (natural_key(path.parent), natural_key(path)))


def require_pictures(folder: Path) -> list[Path]:
    """The image files of a folder and of all folders in it, in natural order.

    Raises:
        InputError: it is not there, or there are none.
    """
    _require_folder(folder)
    found = list_pictures(folder)
    if not found:
        raise InputError(f"'{folder}' holds no image files.", fix="Give a folder with pictures.")
    return found


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"'{folder}' {what}.", fix=find_path(folder))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in IMAGE_SUFFIXES and not hidden and path.is_file():
            yield path


def _facts_of(path: Path, root: Path) -> Facts | None:
    market = MARKET.match(path.stem)
    if market is not None:
        if market["who"] == JUNK:
            return None
        places = (market["camera"], market["sequence"], market["frame"])
        return market["who"], *_numbers(places)
    if path.parent == root:
        return None
    found = CAMERA.search(path.stem)
    return path.parent.relative_to(root).as_posix(), *_numbers(found.groups() if found else ())


def _numbers(texts: Sequence[str | None]) -> tuple[int, int, int]:
    camera, sequence, frame = (
        int(text) if text else UNKNOWN for text in (*texts, None, None, None)[:3]
    )
    return camera, sequence, frame


def _say_what_is_there(files: Sequence[Path]) -> str:
    if not files:
        return "it holds no image files"
    return f"{counted(len(files), 'picture')} such as '{make_printable(files[0].name)}'"
