"""Frames of a directory or a list of images, and of a MOTChallenge sequence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.containers import printable_name
from mot_dinov3.io.info import DEFAULT_FPS, SourceInfo, sane_fps
from mot_dinov3.io.picture_bytes import count_extra, is_cut, list_pages
from mot_dinov3.io.pictures import PictureMaker
from mot_dinov3.io.read.selection import BaseReader
from mot_dinov3.io.read.seqinfo import (
    MOST_FRAMES,
    SEQUENCE_FILE,
    find_image_directory,
    image_number,
    read_section,
)
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.runtime.limits import MOST_PICTURE_BYTES
from mot_dinov3.runtime.notices import log_notice
from mot_dinov3.runtime.opening import keep_regular, read_regular
from mot_dinov3.values import Frame, Image
from mot_dinov3.wording import counted

IMAGE_SUFFIXES = frozenset(
    {
        ".bmp",
        ".jp2",
        ".jpeg",
        ".jpg",
        ".mpo",
        ".pbm",
        ".pgm",
        ".png",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    }
)


MOST_LETTERS = 40
"""Of a file's name in a message."""


@dataclass(frozen=True, slots=True)
class ImageSequence:
    """Image files with their frame numbers.

    Attributes:
        name: how messages call it.
        files: the images in order.
        indices: 0-based frame index of each file; has gaps where files are missing.
        fps: frames per second.
    """

    name: str
    files: Sequence[Path]
    indices: Sequence[int]
    fps: float = DEFAULT_FPS

    def __post_init__(self) -> None:
        if not self.files:
            raise InputError(
                f"'{self.name}' has no images.",
                fix=f"Images are files ending in {', '.join(sorted(IMAGE_SUFFIXES))}.",
            )


def natural_key(path: Path) -> list[tuple[int, str]]:
    """Sorts `frame2` before `frame10`."""
    parts = re.split(r"(\d+)", path.name.lower())  # what is between two texts is a number
    return [(int(part), "") if place % 2 else (-1, part) for place, part in enumerate(parts)]


def images_of(files: Sequence[Path], name: str) -> ImageSequence:
    """The images among `files` in natural order, numbered as they come; regular files only."""
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    images = sorted((file for file in images if not file.name.startswith(".")), key=natural_key)
    images = list(keep_regular(images))
    return ImageSequence(name, images, range(len(images)))


def sequence_of(directory: Path) -> ImageSequence:
    """The frames of a directory; the rules of MOTChallenge apply where `seqinfo.ini` is.

    Raises:
        InputError: no image in it, or a `seqinfo.ini` that leads nowhere.
    """
    name = printable_name(str(directory))
    if (directory / SEQUENCE_FILE).is_file():
        return _read_mot_sequence(directory, name)
    if (directory.parent / SEQUENCE_FILE).is_file():
        sequence = _read_mot_sequence(directory.parent, name)
        if sequence.files[0].parent.resolve() == directory.resolve():
            return sequence
    return images_of([*directory.iterdir()], name)


def _read_mot_sequence(directory: Path, name: str) -> ImageSequence:
    """Read a MOTChallenge sequence: the number in a file's name is its 1-based frame."""
    section = read_section(directory)
    images = find_image_directory(directory, section)
    if images is None:
        raise InputError(
            f"'{name}/{SEQUENCE_FILE}' names an image directory that is not there.",
            fix="Set imDir to the name of a directory beside it, usually img1.\n"
            f"Without images, stored detections can be tracked: --source mot:{name}",
        )
    return number_images(images, section, name)


def number_images(directory: Path, section: Mapping[str, str], name: str) -> ImageSequence:
    """The images of a MOTChallenge sequence, numbered as their names say where that is usable.

    Args:
        directory: where the images are.
        section: the keys of `seqinfo.ini`.
        name: how messages call the sequence.

    Raises:
        InputError: the directory has no image, or one with a number that no frame has.
    """
    found = images_of(_select_suffix(directory, section.get("imExt", ""), name), name)
    indices = [image_number(file) - 1 for file in found.files]
    for file, index in zip(found.files, indices, strict=True):
        if index >= MOST_FRAMES:
            raise InputError(
                f"The image '{printable_name(file.name[:MOST_LETTERS])}' of '{name}' has a number "
                f"that no frame has: they end at {MOST_FRAMES:,}.",
                fix=f"Number the images from 1, or take {SEQUENCE_FILE} away: without it they are "
                "read in the order of their names.",
            )
    usable = indices[0] >= 0 and all(a < b for a, b in pairwise(indices))
    return ImageSequence(
        name,
        found.files,
        indices if usable else found.indices,
        _read_rate(section.get("frameRate", "")),
    )


def _select_suffix(directory: Path, stated: str, name: str) -> list[Path]:
    """The files that end as `seqinfo.ini` says, with or without a dot, in any case.

    Raises:
        InputError: none does, but there are images that end otherwise.
    """
    files = list(directory.iterdir())
    suffix = f".{stated.strip().lower().lstrip('*.')}" if stated.strip(" *.") else ""
    selected = [file for file in files if suffix in ("", file.suffix.lower())]
    there = sorted({file.suffix for file in files if file.suffix.lower() in IMAGE_SUFFIXES})
    if there and not selected:
        raise InputError(
            f"'{name}/{SEQUENCE_FILE}' says imExt={printable_name(stated.strip())}, but the images "
            f"in '{printable_name(directory.name)}' end in {' and '.join(there)}.",
            fix=f"Set imExt={there[0]} in it.",
        )
    return selected


def _read_rate(text: str) -> float:
    try:
        return sane_fps(float(text))
    except ValueError:
        return DEFAULT_FPS


def read_image(path: Path, extra: ExtraPictures | None = None) -> Image | None:
    """Read one image as BGR, upright; None when it is unreadable or cut short.

    Args:
        path: where it is.
        extra: is told of the file, which may hold further pictures.
    """
    try:
        data = read_regular(path, MOST_PICTURE_BYTES)
    except OSError:
        return None
    if not data or is_cut(data):
        return None
    if extra is not None:
        extra.note(path, data)
    try:
        image: Image | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return image


def read_first_image(files: Sequence[Path], name: str) -> Image:
    """Read the first of `files` that can be read.

    Raises:
        InputError: none can; `name` is what the message calls them.
    """
    first = next((image for file in files if (image := read_image(file)) is not None), None)
    if first is None:
        refuse_pointer(files[0], InputError)
        raise InputError(
            f"None of the {counted(len(files), 'image')} of '{name}' can be read.",
            fix="Check that they are whole and open in an image viewer.",
        )
    return first


class ExtraPictures:
    """Says once that an image holds further pictures, which are not read."""

    def __init__(self) -> None:
        self._said = False

    def note(self, path: Path, data: bytes) -> None:
        """Look at the bytes of an image."""
        pictures = 0 if self._said else max(count_extra(data) + 1, len(list_pages(data)))
        if pictures > 1:
            self._said = True
            log_notice(
                "'%s' holds %d pictures; of each image only the first is tracked.",
                printable_name(str(path)),
                pictures,
            )


class ImageReader(BaseReader):
    """Reads an image sequence; images that cannot be read are counted and left out.

    Raises:
        InputError: at birth, when no image is readable or none is selected.
    """

    def __init__(self, sequence: ImageSequence, config: SourceConfig) -> None:
        super().__init__(config)
        self._sequence = sequence
        self._pictures, self._extra = PictureMaker(), ExtraPictures()
        self.selection.require_start(sequence.name, sequence.indices[-1] + 1)
        first = read_first_image(sequence.files, sequence.name)
        self._pictures.fit(first)
        height, width = first.shape[:2]
        self.info = SourceInfo(
            name=sequence.name,
            width=width,
            height=height,
            fps=sequence.fps,
            frame_count=sequence.indices[-1] + 1,
            is_live=False,
            path=None,
        )

    @property
    def partial(self) -> bool:
        """Whether an image could not be read."""
        return self.counted["unreadable_images"] > 0

    def __iter__(self) -> Iterator[Frame]:
        origin = self._sequence.indices[0]
        for file, index in zip(self._sequence.files, self._sequence.indices, strict=True):
            if self.selection.is_past(index):
                return
            if not self.selection.wants(index):
                continue
            image = read_image(file, self._extra)
            if image is None:
                self.counted["unreadable_images"] += 1
                continue
            picture = self._pictures.fit(image)
            self.counted["size_changes"] = self._pictures.size_changes
            yield Frame(index, (index - origin) / self._sequence.fps, picture)
