"""From sources to folders of crops: finds the tracks of each, plans, and cuts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mot_dinov3.commands.crops.footage import Footage, iterate_pictures, plan_footage, show_progress
from mot_dinov3.data.reid.crops import read_crops
from mot_dinov3.data.reid.cutting import Labels, write_crops
from mot_dinov3.data.reid.tracklets import (
    CUT,
    HIDDEN,
    SHORT,
    SMALL,
    UNSURE,
    CropConfig,
    CropPlan,
)
from mot_dinov3.errors import InputError, OutputError, UsageError, cannot_write
from mot_dinov3.io.write.directories import AtomicDirectory
from mot_dinov3.io.write.paths import check_output_directory
from mot_dinov3.perception.features.sharpness import sharpness
from mot_dinov3.runs.session import open_frames

LIMITS = {
    SHORT: "a smaller --min-frames",
    UNSURE: "a smaller --min-score",
    SMALL: "a smaller --min-size",
    CUT: "--keep-cut",
    HIDDEN: "a smaller --min-visibility",
}
"""Why boxes are left out -> what would keep them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where crops go.

    Attributes:
        folder: gets a folder for each tracklet.
        add: it may hold crops already, which stay.
        camera: number of the first source's camera; the others count on.
    """

    folder: Path
    add: bool = False
    camera: int = 1

    def __post_init__(self) -> None:
        if self.camera < 1:
            raise UsageError(
                f"--camera must be 1 or more, got {self.camera}.", fix="Give another number."
            )


@dataclass(frozen=True, slots=True)
class MadeCrops:
    """What became of one source.

    Attributes:
        name: what it is called.
        camera: its number.
        plan: what was to be cut.
        written: how many pictures were.
        partial: it was damaged or cut short.
    """

    name: str
    camera: int
    plan: CropPlan
    written: int
    partial: bool


def make_crops(footage: Sequence[Footage], limits: CropConfig, place: Place) -> list[MadeCrops]:
    """Cut the tracklets of sources out of their pictures; each source is a camera.

    A source is read once to find its tracks, where no file tells them, and once for its pictures.
    Nothing is written before the tracks of all are known.

    Raises:
        MotError: something cannot be read, nothing is left to cut, or the place takes no files.
    """
    first, sequences = find_free_numbers(place)
    adds = first > 1 or bool(sequences)
    inner = place.folder / "added" if adds else place.folder
    check_output_directory(inner)
    planned = [plan_footage(one, limits) for one in footage]
    if not any(len(plan.rows) for _, plan in planned):
        raise build_nothing_error([plan for _, plan in planned])
    made = []
    with AtomicDirectory(inner) as directory:
        for camera, (one, (table, plan)) in enumerate(
            zip(footage, planned, strict=True), place.camera
        ):
            labels = Labels(first, camera, sequences[camera] + 1)
            with open_frames(one.config.source) as reader:
                frames = show_progress(iterate_pictures(one, reader), one, reader, "cutting")
                written = write_crops(frames, (table, plan), directory, labels, sharpness)
                made.append(MadeCrops(reader.info.name, camera, plan, written, reader.partial))
            first += plan.identities
    if not any(one.written for one in made):
        inner.rmdir()
        raise InputError(
            f"'{made[0].name}' shows none of the frames that its tracks are in.",
            fix="Give the source that they were made of, and all of it.",
        )
    if adds:
        move_up(inner)
    return made


def find_free_numbers(place: Place) -> tuple[int, Counter[int]]:
    """The first identity that is free, and camera -> the last sequence that it has.

    Raises:
        OutputError: the folder holds something, and nothing may be added to it.
        InputError: what it holds are no crops.
    """
    folder = place.folder
    if not folder.is_dir() or not any(folder.iterdir()):
        return 1, Counter()
    if not place.add:
        raise OutputError(
            f"'{folder}' holds files already.",
            fix="Name a new directory with --out, or add to this one with --add.",
        )
    known = read_crops(folder)
    last: Counter[int] = Counter()
    for camera, sequence in zip(known.camera.tolist(), known.sequence.tolist(), strict=True):
        last[camera] = max(last[camera], sequence, 1)
    return 1 + max((int(name) for name in known.names if name.isdecimal()), default=0), last


def move_up(inner: Path) -> None:
    """Move the folders of new identities to those that were there before.

    Raises:
        OutputError: the system refused.
    """
    try:
        for folder in sorted(inner.iterdir()):
            folder.rename(inner.parent / folder.name)
        inner.rmdir()
    except OSError as error:
        raise cannot_write(inner.parent, error) from error


def build_nothing_error(plans: Sequence[CropPlan]) -> InputError:
    """The error where no box is left, with the flag that would keep most of them."""
    left_out: Counter[str] = Counter()
    for plan in plans:
        left_out.update(plan.left_out)
    if not left_out.total():
        return InputError(
            "There are no tracks to cut pictures of.",
            fix="Give another detector (--det), a smaller --conf or other --classes.",
        )
    reasons = ", ".join(f"{count} {why}" for why, count in left_out.items() if count)
    return InputError(
        f"No box is left to cut: {reasons}.", fix=f"Give {LIMITS[left_out.most_common(1)[0][0]]}."
    )
