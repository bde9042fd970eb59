"""`mot:DIR` and frame logs: each long and well visible track of a video is a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mot_dinov3.config import SourceConfig
from mot_dinov3.data.reid.tracklets import (
    BORDER_PX,
    collect_boxes,
    cut_tracks,
    measure_visibility,
)
from mot_dinov3.data.single_object.base import (
    PackedPictures,
    PictureFiles,
    Pictures,
    SingleObjectSequence,
    trim_sequence,
)
from mot_dinov3.errors import InputError, UsageError, find_path
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.io.formats.identities import read_identities
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.io.read.images import natural_key, sequence_of
from mot_dinov3.io.read.sequence import MOT_PREFIX
from mot_dinov3.io.read.sources import VIDEO_SUFFIXES, open_source, plain_name
from mot_dinov3.io.write.crops import encode_jpeg
from mot_dinov3.values import FloatArray, IntArray
from mot_dinov3.values.boxes import reach_border
from mot_dinov3.wording import counted

TRUTH_FILE = Path("gt", "gt.txt")
LOG_SUFFIX = ".jsonl"
LEAST_BOXES = 30
"""A track of fewer good boxes is not a sequence."""
LEAST_VISIBLE = 0.5
"""A box of which less can be seen says nothing, nor does one that the picture's border cuts."""
LEAST_SIDE_PX = 8.0
"""A box whose shorter side is shorter is a strip at the border, or too far away to be told."""
LEAST_KNOWN = 0.6
"""Share of a sequence's pictures whose box is good."""


@dataclass(frozen=True, slots=True)
class Footage:
    """The pictures of a source and which frames they are.

    Attributes:
        name: of the source.
        pictures: N of them.
        frames: (N,) int64 their 0-based frames, ascending.
        fps: frames per second.
    """

    name: str
    pictures: Pictures
    frames: IntArray
    fps: float


def read_mot_tracks(argument: str) -> list[SingleObjectSequence]:
    """Read the tracks of a MOTChallenge sequence, or of the sequences in a folder.

    Raises:
        InputError: there is none, one is damaged, or no track is long and well visible.
    """
    folder = Path(argument).expanduser()
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"'{folder}' {what}.", fix=find_path(folder))
    folders = [folder, *sorted(folder.iterdir(), key=natural_key)]
    truths = [one / TRUTH_FILE for one in folders if (one / TRUTH_FILE).is_file()]
    if not truths:
        raise InputError(
            f"'{folder}' holds no sequence.",
            fix=f"A sequence is a folder with img1/ and {TRUTH_FILE.as_posix()}.",
        )
    found = [one for file in truths for one in _read_truth(file)]
    return require_sequences(found, argument)


def _read_truth(truth: Path) -> list[SingleObjectSequence]:
    table = read_identities(truth)
    table = take_rows(table, (table.score > 0).nonzero()[0])
    return split_tracks(table, table.track_id, open_images(truth.parent.parent))


def read_run_tracks(argument: str) -> list[SingleObjectSequence]:
    """Read the tracks of a finished run, given as `RUN.jsonl,VIDEO`.

    Without a VIDEO it is the one beside the frame log that is called the same. A track is cut in
    two where it jumps, and where its box is missing.

    Raises:
        UsageError: no video is named, and none lies there.
        InputError: a file cannot be read, both do not belong together, or no track is good.
    """
    path, source = split_run(argument)
    table = collect_boxes(record.result for record in FrameLog(path))
    logged = np.array([record.result.frame_index for record in FrameLog(path)], np.int64)
    if not len(logged):
        raise InputError(f"'{path}' holds no frame.", fix="Give a file that --save-jsonl wrote.")
    footage = open_footage(source, logged)
    missing = np.setdiff1d(logged, footage.frames)
    if len(missing):
        raise InputError(
            f"'{path}' is about frame {missing[0]}, which '{footage.name}' does not have.",
            fix="Give the frame log together with the source that it was made from.",
        )
    rows = np.arange(len(table))
    return require_sequences(split_tracks(table, cut_tracks(table, rows, 1), footage), argument)


def split_run(argument: str) -> tuple[Path, str]:
    """The frame log and the source that `RUN.jsonl,VIDEO` names.

    Raises:
        UsageError: there is no source.
    """
    stem, _, source = argument.partition(LOG_SUFFIX)
    path = Path(stem + LOG_SUFFIX).expanduser()
    if source.startswith(",") and source[1:].strip():
        return path, source[1:].strip()
    beside = [path.with_suffix(suffix) for suffix in sorted(VIDEO_SUFFIXES)]
    found = next((file for file in beside if file.is_file()), None)
    if found is None:
        raise UsageError(
            f"'{path}' does not name its video.", fix=f"Write {path},VIDEO after --data."
        )
    return path, str(found)


def open_images(folder: Path) -> Footage:
    """The pictures of a folder or of a MOTChallenge sequence.

    Raises:
        InputError: it has none.
    """
    found = sequence_of(folder)
    frames = np.array(found.indices, np.int64)
    return Footage(folder.resolve().name, PictureFiles(tuple(found.files)), frames, found.fps)


def open_footage(source: str, wanted: IntArray) -> Footage:
    """The pictures of a source; those of a video are read now, and only `wanted` frames are kept.

    Raises:
        InputError: it cannot be read.
    """
    folder = Path(source.removeprefix(MOT_PREFIX)).expanduser()
    if folder.is_dir():
        return open_images(folder)
    numbers, kept = set(wanted.tolist()), {}
    with open_source(SourceConfig(source=source)) as reader:
        for frame in reader:
            if frame.index in numbers:
                kept[frame.index] = encode_jpeg(frame.image)
    pictures, frames = PackedPictures(tuple(kept.values())), np.array(list(kept), np.int64)
    return Footage(plain_name(source), pictures, frames, reader.info.fps)


def take_rows(table: MotTable, rows: IntArray) -> MotTable:
    """Some rows of a table, in the order of the table."""
    columns = ("frame_index", "track_id", "xyxy", "score", "class_id", "visibility")
    return MotTable(**{name: getattr(table, name)[rows] for name in columns})


def split_tracks(table: MotTable, track: IntArray, footage: Footage) -> list[SingleObjectSequence]:
    """The sequence of each track that is long and well visible.

    Args:
        table: all boxes; each hides those behind it.
        track: (N,) int64 the track of each.
        footage: pictures; boxes of other frames are left out.
    """
    good = measure_visibility(table) >= LEAST_VISIBLE
    height, width = footage.pictures[0].shape[:2]
    good &= ~reach_border(table.xyxy, (width, height), BORDER_PX)
    good &= (table.xyxy[:, 2:] - table.xyxy[:, :2]).min(axis=1, initial=np.inf) >= LEAST_SIDE_PX
    place = np.searchsorted(footage.frames, table.frame_index).clip(max=len(footage.frames) - 1)
    good &= footage.frames[place] == table.frame_index
    found = []
    for number in np.unique(track[good]).tolist():
        rows = (good & (track == number)).nonzero()[0]
        boxes: FloatArray = np.full((len(footage.frames), 4), np.nan, np.float32)
        boxes[place[rows]] = table.xyxy[rows]
        name = f"{footage.name}-{number}"
        one = trim_sequence(name, footage.pictures, boxes, footage.fps)
        if one and one.known.sum() >= LEAST_BOXES and one.known.mean() >= LEAST_KNOWN:
            found.append(one)
    return found


def require_sequences(found: list[SingleObjectSequence], where: str) -> list[SingleObjectSequence]:
    """The same sequences.

    Raises:
        InputError: there are none.
    """
    if not found:
        raise InputError(
            f"No track of '{where}' is seen well in {counted(LEAST_BOXES, 'frame')} or more.",
            fix="Give a longer sequence.",
        )
    return found
