"""`seqinfo.ini`: what a MOTChallenge sequence says about itself. It comes from anywhere."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mot_dinov3.errors import InputError
from mot_dinov3.io.containers import printable_name
from mot_dinov3.runtime.limits import SEQUENCE_INFO
from mot_dinov3.runtime.opening import is_regular, read_text

SEQUENCE_FILE = "seqinfo.ini"
SECTION = "Sequence"
MOST_SIDE_PX = 16_384
MOST_FRAMES = 10_000_000
MOST_FPS = 1000.0
LEAST_FPS = 0.01


@dataclass(frozen=True, slots=True)
class SequenceInfo:
    """A sequence before its frames are read, all numbers within reason.

    Attributes:
        name: the sequence's own name, safe to print; the directory's where it has none.
        fps: frames per second.
        frames: how many there are.
        width: pixels across.
        height: pixels down.
    """

    name: str
    fps: float
    frames: int
    width: int
    height: int


def read_section(directory: Path) -> Mapping[str, str]:
    """Read the keys of `directory/seqinfo.ini`, unchecked; empty where it has no such section.

    Raises:
        InputError: the file is not an ini file.
    """
    ini = configparser.ConfigParser(interpolation=None)
    path = directory / SEQUENCE_FILE
    try:
        ini.read_string(read_text(path, SEQUENCE_INFO))
    except OSError as error:
        raise InputError(
            f"'{printable_name(str(path))}' cannot be read: {error.strerror}.",
            fix="Repair it, or give the directory of images without it.",
        ) from error
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"'{printable_name(str(path))}' cannot be understood.",
            fix="Repair it, or give the directory of images without it.",
        ) from error
    return ini[SECTION] if ini.has_section(SECTION) else {}


def read_seqinfo(directory: Path) -> SequenceInfo:
    """Name, rate, length and picture size of a sequence; nothing is guessed but the name.

    Raises:
        InputError: no directory, no `seqinfo.ini` in it, or a key that is missing or out of
            reason; the message names the file and the key.
    """
    shown = printable_name(str(directory))
    if not directory.is_dir():
        what = "is not a directory" if directory.exists() else "does not exist"
        raise InputError(f"'{shown}' {what}.", fix="Give the directory that holds seqinfo.ini.")
    if not is_regular(directory / SEQUENCE_FILE):
        raise InputError(
            f"'{shown}' has no {SEQUENCE_FILE}, so it is not a MOTChallenge sequence.",
            fix="Give the directory that holds it; images alone need no 'mot:' before them.",
        )
    section = read_section(directory)
    where = f"'{shown}/{SEQUENCE_FILE}'"
    return SequenceInfo(
        name=printable_name(section.get("name", "").strip()) or directory.resolve().name,
        fps=_read_number(section, "frameRate", (LEAST_FPS, MOST_FPS), where),
        frames=_read_whole(section, "seqLength", MOST_FRAMES, where),
        width=_read_whole(section, "imWidth", MOST_SIDE_PX, where),
        height=_read_whole(section, "imHeight", MOST_SIDE_PX, where),
    )


def _read_number(
    section: Mapping[str, str], key: str, limits: tuple[float, float], where: str
) -> float:
    text = section.get(key)
    if text is None:
        raise InputError(
            f"{where} has no {key}.", fix=f"Add a line such as {key}=... below [{SECTION}]."
        )
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not limits[0] <= value <= limits[1]:
        raise InputError(
            f"{where}: {key} must be between {limits[0]:g} and {limits[1]:g}, "
            f"not '{printable_name(text[:40])}'.",
            fix=f"Give {key} a number in this range.",
        )
    return value


def _read_whole(section: Mapping[str, str], key: str, most: int, where: str) -> int:
    value = _read_number(section, key, (1, most), where)
    if value % 1:
        raise InputError(
            f"{where}: {key} must be a whole number, not {value:g}.", fix=f"Round {key}."
        )
    return int(value)


def find_image_directory(directory: Path, section: Mapping[str, str]) -> Path | None:
    """Find where the sequence keeps its images: inside itself or nowhere."""
    images = directory / section.get("imDir", "img1")
    inside = images.is_dir() and images.resolve().is_relative_to(directory.resolve())
    return images if inside else None


def image_number(file: Path) -> int:
    """The last number in a file's name, 0 without one: the 1-based frame."""
    digits = re.findall(r"[0-9]+", file.stem)
    return int(digits[-1]) if digits else 0
