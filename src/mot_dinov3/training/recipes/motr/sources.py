"""What clips are cut from: filmed sequences with identities, and still pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mot_dinov3.data.detection.base import DetectionExample
from mot_dinov3.data.detection.yolo import open_detection_set
from mot_dinov3.data.single_object.tracks import Footage, open_images, take_rows
from mot_dinov3.data.trajectories.reader import (
    TRUTH_FILE,
    find_counted,
    hold_out,
    list_sequences,
)
from mot_dinov3.errors import InputError
from mot_dinov3.io.formats.identities import read_identities
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.io.formats.mot_classes import MOT_CLASSES, number_class
from mot_dinov3.wording import counted

LEAST_VISIBLE = 0.25
"""An object of which less is seen is not asked for; what follows it has to say so."""


@dataclass(frozen=True, slots=True)
class Film:
    """A sequence with the identities in it.

    Attributes:
        footage: its pictures.
        truth: all boxes that count, with identities.
        visible: those of them that can be seen.
    """

    footage: Footage
    truth: MotTable
    visible: MotTable

    def __len__(self) -> int:
        return len(self.footage.frames)


@dataclass(frozen=True, slots=True)
class Sources:
    """What is learned from, and what measures it.

    Attributes:
        films: sequences to learn from.
        stills: pictures to learn from, each a clip that stands still.
        held_out: sequences that measure.
        classes: number of MOTChallenge -> name, of all objects.
        numbers: class of a still's data set -> number of MOTChallenge.
    """

    films: Sequence[Film]
    stills: Sequence[DetectionExample]
    held_out: Sequence[Film]
    classes: dict[int, str]
    numbers: dict[int, int]


def open_sources(data: str, val: str, frames: int) -> Sources:
    """Read what `--data` and `--val` name; commas separate.

    Args:
        data: `mot:DIR`, or the `data.yaml` of still pictures.
        val: `mot:DIR`; "" to hold out every sixth sequence.
        frames: of a clip.

    Raises:
        UsageError: a name makes no sense.
        InputError: something is damaged, names no identities or is too short.
    """
    films: list[Film] = []
    stills: list[DetectionExample] = []
    names: dict[int, str] = {}
    held_out = [film for spec in _split(val) for film in _read_films(spec)]
    for spec in _split(data):
        if spec.endswith((".yaml", ".yml")):
            found = open_detection_set(Path(spec).expanduser(), "train")
            stills, names = [*stills, *found.examples], {**names, **found.names}
            continue
        group = _read_films(spec)
        if not val:
            group, kept = hold_out([group])
            held_out += kept
        films += _require_long(group, frames)
    numbers = {number: number_class(number, name) for number, name in names.items()}
    filmed = {int(one) for film in films for one in np.unique(film.truth.class_id)}
    present = sorted({*filmed, *numbers.values()})
    known = {numbers[number]: name for number, name in names.items()}
    classes = {number: MOT_CLASSES.get(number) or known[number] for number in present}
    return Sources(films, stills, held_out, classes, numbers)


def _split(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _read_films(spec: str) -> list[Film]:
    return [read_film(folder) for folder in list_sequences(spec)]


def read_film(folder: Path) -> Film:
    """Read a MOTChallenge sequence with its pictures; they are in order of their numbers.

    Raises:
        InputError: a file is damaged, there are no pictures, or boxes have no identities.
    """
    path = folder / TRUTH_FILE
    table = read_identities(path)
    counts = find_counted(table, path)
    known = np.isin(table.class_id, list(MOT_CLASSES))
    table = replace(table, class_id=np.where(known, table.class_id, 1))  # -1 is a pedestrian
    seen = ((table.score > 0) & (table.visibility >= LEAST_VISIBLE)).nonzero()[0]
    return Film(open_images(folder), take_rows(table, counts), take_rows(table, seen))


def _require_long(films: Sequence[Film], frames: int) -> list[Film]:
    """Those that a clip fits in.

    Raises:
        InputError: there are none.
    """
    long = [one for one in films if len(one) >= frames]
    if not long:
        most = max(map(len, films), default=0)
        raise InputError(
            f"The longest sequence to learn from has {counted(most, 'picture')}, and clips of "
            f"{frames} are to be cut from it.",
            fix=f"Give longer sequences, or shorter clips with --clip {max(most, 1)}.",
        )
    return long
