"""What `--data` names, as sources of examples: to learn from, and held out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mot_dinov3.data.single_object.base import (
    ChosenPictures,
    Pictures,
    SingleObjectSequence,
    trim_sequence,
)
from mot_dinov3.data.single_object.factory import LOG_SUFFIX, read_sequences
from mot_dinov3.data.synthetic.presets.factory import create_world
from mot_dinov3.errors import UsageError
from mot_dinov3.training.recipes.sot.examples import Example, Sizes, Source
from mot_dinov3.training.recipes.sot.pairs import PairRules, Part, SequencePairs
from mot_dinov3.training.recipes.sot.scenes import DrawnScenes
from mot_dinov3.values import FloatArray, Image, IntArray

SCENES, WORLD = "scenes", "world:"
FIRST_SEED, WORLDS, WORLD_FRAMES = 700_000, 3, 80
"""Clips of a drawn world, which nothing else is measured on, and frames of each."""
LEAST_VISIBLE, LEAST_SIDE_PX = 0.5, 12
KEPT_BYTES = 3 << 30
"""Decoded pictures that stay in memory."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Sources that are drawn from equally often.

    Attributes:
        members: one for each `--data`.
    """

    members: Sequence[Source]

    def draw(self, rng: np.random.Generator) -> Example:
        """An example of one of them."""
        return self.members[int(rng.integers(len(self.members)))].draw(rng)


class KeptPictures:
    """Pictures of a source that stay in memory once they are read, while there is room.

    Args:
        source: where they are read from.
        room: bytes that are left, for all that share it.
    """

    def __init__(self, source: Pictures, room: list[int]) -> None:
        self._source, self._room = source, room
        self._kept: dict[int, Image] = {}

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, row: int) -> Image:
        if row in self._kept:
            return self._kept[row]
        image = self._source[row]
        if self._room[0] >= image.nbytes:
            self._room[0] -= image.nbytes
            self._kept[row] = image
        return image


def open_sources(
    specs: Iterable[str], sizes: Sizes, rules: PairRules, holdout: float
) -> tuple[Sources, Sources]:
    """What to learn from and what to measure on.

    Of sequences the last pictures are held out; scenes are drawn from other random numbers.

    Args:
        specs: values of `--data`.
        sizes: of the pictures.
        rules: how examples are drawn from sequences.
        holdout: share of each sequence that is held out.

    Raises:
        MotError: one of them cannot be read.
    """
    room = [KEPT_BYTES]
    learned: list[Source] = []
    held_out: list[Source] = []
    for spec in specs:
        if spec == SCENES:
            learned.append(DrawnScenes(sizes))
            held_out.append(DrawnScenes(sizes))
            continue
        found = keep_pictures(read_any(spec), room)
        for part_of, into in ((take_first, learned), (take_last, held_out)):
            parts = [replace(part, rows=part_of(part.rows, holdout)) for part in found]
            into.append(SequencePairs(parts, sizes, rules))
    return Sources(learned), Sources(held_out)


def read_any(spec: str) -> list[SingleObjectSequence]:
    """The sequences of a drawn world or of a data set.

    Raises:
        UsageError: it names none.
        MotError: it cannot be read.
    """
    if ":" not in spec and LOG_SUFFIX not in spec:
        raise UsageError(
            f"--data {spec} is not data to learn from.",
            fix=f"Give {SCENES}, {WORLD}street, otb:DIR, got10k:DIR, mot:DIR, yolo:DIR, or "
            f"RUN{LOG_SUFFIX},VIDEO.",
        )
    if not spec.startswith(WORLD):
        return read_sequences(spec)
    found = []
    for number in range(WORLDS):
        found += draw_world(spec.removeprefix(WORLD), FIRST_SEED + number)
    return found


def draw_world(name: str, seed: int) -> list[SingleObjectSequence]:
    """The well visible objects of a clip of a drawn world.

    Raises:
        UsageError: there is no such world.
    """
    frames = list(create_world(name, seed=seed, frames=WORLD_FRAMES))
    pictures = tuple(frame.image for frame, _ in frames)
    boxes: dict[int, FloatArray] = {}
    for row, (_, truth) in enumerate(frames):
        large = (truth.xyxy[:, 2:] - truth.xyxy[:, :2]).min(axis=1, initial=np.inf)
        good = (truth.visibility >= LEAST_VISIBLE) & (large >= LEAST_SIDE_PX)
        for number, box in zip(truth.track_id[good].tolist(), truth.xyxy[good], strict=True):
            missing: FloatArray = np.full((len(frames), 4), np.nan, np.float32)
            boxes.setdefault(number, missing)[row] = box
    found = (trim_sequence(f"{name}-{seed}-{n}", pictures, known) for n, known in boxes.items())
    return [one for one in found if one is not None]


def keep_pictures(sequences: Sequence[SingleObjectSequence], room: list[int]) -> list[Part]:
    """All known pictures of sequences, which are read once; those of one source share them."""
    kept: dict[int, KeptPictures] = {}
    parts = []
    for sequence in sequences:
        chosen = sequence.pictures
        if not isinstance(chosen, ChosenPictures):
            chosen = ChosenPictures(chosen, np.arange(len(sequence)))
        pictures, rows = chosen.source, chosen.rows
        shared = kept.setdefault(id(pictures), KeptPictures(pictures, room))
        sequence = replace(sequence, pictures=ChosenPictures(shared, rows))
        parts.append(Part(sequence, sequence.known.nonzero()[0], id(shared)))
    return parts


def take_first(rows: IntArray, share: float) -> IntArray:
    """All rows but the last `share` of them; one at least."""
    return rows[: max(1, round(len(rows) * (1 - share)))]


def take_last(rows: IntArray, share: float) -> IntArray:
    """The last `share` of rows; one at least."""
    return rows[min(len(rows) - 1, round(len(rows) * (1 - share))) :]
