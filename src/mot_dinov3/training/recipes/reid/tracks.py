"""Pictures of the tracks of MOTChallenge sequences, cut out in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mot_dinov3.config import SourceConfig
from mot_dinov3.data.reid.crops import Facts, build_crops
from mot_dinov3.data.reid.tracklets import CropConfig, CropPlan, plan_crops
from mot_dinov3.errors import InputError, find_path
from mot_dinov3.io.formats.identities import read_identities
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.io.info import FrameReader
from mot_dinov3.io.read.images import natural_key
from mot_dinov3.io.read.sequence import MOT_PREFIX
from mot_dinov3.io.read.sources import open_source
from mot_dinov3.io.write.crops import cut_box
from mot_dinov3.training.recipes.reid.pictures import LoadedCrops, Size, fit_crop
from mot_dinov3.values import FloatArray, Frame, IntArray
from mot_dinov3.values.boxes import pad
from mot_dinov3.wording import counted

log = logging.getLogger("mot_dinov3")

TRUTH_FILE = Path("gt", "gt.txt")
MOST = 60
"""Pictures of a track, spread over its time; more where two clips are longer."""
Look = Callable[[Frame, FloatArray], Sequence[NDArray[Any] | None]]
"""What is kept of the boxes (K, 4) of a frame: an array each, or None where there is nothing."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """What becomes a picture.

    Attributes:
        clip_len: pictures in a clip; a track has two clips at least.
        factor: how much larger than its box a picture is.
        size: height and width of the pictures.
    """

    clip_len: int
    factor: float
    size: Size

    @property
    def limits(self) -> CropConfig:
        """Which boxes become pictures."""
        fewest = 2 * self.clip_len
        return CropConfig(min_frames=fewest, per_track=max(MOST, fewest))

    def cut(self, frame: Frame, xyxy: FloatArray) -> list[NDArray[Any] | None]:
        """The pictures (3, h, w) of boxes; see `Look`."""
        cuts = [cut_box(frame.image, box) for box in pad(xyxy, (self.factor - 1) / 2)]
        return [fit_crop(one, self.size) if one.size else None for one in cuts]


def read_tracks(folder: Path, cutting: Cutting, look: Look | None = None) -> LoadedCrops:
    """Cut the tracks of one sequence or of several, each track an identity of its own.

    Args:
        folder: of a sequence, or of several.
        cutting: what becomes a picture.
        look: keeps something else of a box than its picture.

    Returns:
        Pictures in order of identities, and those of one in order of time.

    Raises:
        InputError: there is no sequence with a ground truth and pictures, or fewer than two of
            its tracks are long enough.
    """
    facts: list[Facts] = []
    pixels: list[NDArray[Any]] = []
    unreadable = longest = 0
    for number, sequence in enumerate(find_sequences(folder), 1):
        with open_source(SourceConfig(source=f"{MOT_PREFIX}{sequence}")) as reader:
            table, plan = plan_sequence(sequence, reader, cutting)
            longest = max(longest, *np.unique(table.track_id, return_counts=True)[1].tolist(), 0)
            for track, frame, picture in _cut(reader, table, plan, look or cutting.cut):
                facts.append((f"{sequence.name}/{track}", number, 1, frame))
                pixels.append(picture)
            unreadable += reader.faults["unreadable_images"]
        log.info("cut %s of %d tracks out of '%s'.", counted(plan.pictures, "picture"),
                 plan.identities, sequence)  # fmt: skip
    crops = build_crops([Path(who, str(frame)) for who, *_, frame in facts], facts)
    if crops.identities < 2:
        raise _build_shortage_error(folder, crops.identities, cutting.clip_len, longest)
    if unreadable:
        log.warning("%s could not be read and are left out.", counted(unreadable, "picture"))
    order = np.lexsort((crops.frame, crops.identity))
    stacked = torch.from_numpy(np.stack(pixels))[torch.from_numpy(order)]
    return LoadedCrops(crops[order], stacked, unreadable)


def find_sequences(folder: Path) -> list[Path]:
    """The sequences that a folder means: itself, or those in it.

    Raises:
        InputError: it is not a folder, or none has a ground truth.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"The --video '{folder}' {what}.", fix=find_path(folder))
    if (folder / TRUTH_FILE).is_file():
        return [folder]
    inside = sorted((path for path in folder.iterdir() if path.is_dir()), key=natural_key)
    found = [path for path in inside if (path / TRUTH_FILE).is_file()]
    if not found:
        raise InputError(
            f"Neither '{folder}' nor a folder in it has a ground truth: there is no {TRUTH_FILE}.",
            fix="Give a MOTChallenge sequence with img1, seqinfo.ini and gt/gt.txt; tracks of a "
            "video without one are made by crops, and learned from with --continual --unlabeled.",
        )
    return found


def plan_sequence(
    sequence: Path, reader: FrameReader, cutting: Cutting
) -> tuple[MotTable, CropPlan]:
    """The boxes of a sequence, and which of them may become pictures.

    Raises:
        InputError: it has no pictures, or its ground truth is wrong.
    """
    info = reader.info
    if not info.has_pixels:
        raise InputError(
            f"'{sequence}' has no pictures to cut its tracks out of.",
            fix="Put them beside its seqinfo.ini (img1).",
        )
    table = read_identities(sequence / TRUTH_FILE, info.frame_count, f"'{info.name}'")
    size = (info.width, info.height)
    return table, plan_crops(table, table.score > 0, size, cutting.limits, tracked=False)


def _cut(
    reader: FrameReader, table: MotTable, plan: CropPlan, look: Look
) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Track, frame and what is kept of the first box of every part of a track's time."""
    parts = np.stack((plan.tracklet, plan.place), axis=1)
    rows: IntArray = np.sort(plan.rows[np.unique(parts, axis=0, return_index=True)[1]])
    when = table.frame_index[rows]
    for frame in reader:
        now = rows[slice(*np.searchsorted(when, [frame.index, frame.index + 1]).tolist())]
        kept = look(frame, table.xyxy[now]) if len(now) else ()
        for row, one in zip(now.tolist(), kept, strict=True):
            if one is not None:
                yield int(table.track_id[row]), frame.index, one


def _build_shortage_error(folder: Path, tracks: int, clip_len: int, longest: int) -> InputError:
    least = f"two clips of --clip-len {clip_len} boxes that can be seen well"
    if tracks:
        return InputError(
            f"'{folder}' has one track alone with {least}, and telling identities apart needs two.",
            fix="Give more sequences in a folder, or a shorter --clip-len.",
        )
    return InputError(
        f"No track in '{folder}' has {least}: the longest has {counted(longest, 'box', 'boxes')}.",
        fix="Give longer sequences, or a shorter --clip-len.",
    )
