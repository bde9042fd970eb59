"""A source and where its tracks come from: a frame log, a ground truth, or the tracker."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.data.reid.tracklets import (
    CropConfig,
    CropPlan,
    collect_boxes,
    plan_crops,
)
from mot_dinov3.errors import InputError, find_path
from mot_dinov3.io.formats.frame_log import read_results
from mot_dinov3.io.formats.identities import read_identities
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.io.formats.mot_classes import MOT_CLASSES, name_number
from mot_dinov3.io.info import FrameReader, SourceInfo
from mot_dinov3.io.read.seqinfo import SEQUENCE_FILE
from mot_dinov3.io.read.sequence import MOT_PREFIX
from mot_dinov3.io.read.sources import count_selected
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.runs.jobs.log_player import FrameLogPlayer, summarise_frame_log
from mot_dinov3.runs.jobs.redraw import require_length, require_pictures
from mot_dinov3.runs.library.video import step_through
from mot_dinov3.runs.session import open_frames
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.factory import create_system
from mot_dinov3.values import BoolArray, Frame

TRUTH_FILE = Path("gt", "gt.txt")
SAY_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Footage:
    """A source, and the file that tells its tracks; without one they are made here.

    Attributes:
        config: the job, with the source.
        frame_log: what `--save-jsonl` wrote.
        truth: MOT text of identities.
    """

    config: TrackConfig
    frame_log: Path | None = None
    truth: Path | None = None


def find_truth(path: Path) -> Path:
    """The ground truth file that a path means, which may be the directory of its sequence.

    Raises:
        InputError: there is none.
    """
    file = path / TRUTH_FILE if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"'{file}' is not a file.", fix=find_path(file))
    return file


def find_source_beside(truth: Path) -> str:
    """The source of a ground truth that lies in its sequence; empty where there is none."""
    sequence = truth.resolve().parent.parent
    if (sequence / SEQUENCE_FILE).is_file():
        return f"{MOT_PREFIX}{sequence}"
    return str(sequence / "img1") if (sequence / "img1").is_dir() else ""


def plan_footage(footage: Footage, limits: CropConfig) -> tuple[MotTable, CropPlan]:
    """The boxes of a source, and which of them become pictures.

    Raises:
        MotError: the source or the file of its tracks cannot be used.
    """
    with open_frames(footage.config.source) as reader:
        require_pictures(reader.info)
        if footage.truth is not None:
            table, wanted = read_truth(footage, footage.truth, reader.info)
        elif footage.frame_log is not None:
            table, wanted = read_frame_log(footage, footage.frame_log, reader)
        else:
            table = track_boxes(footage, reader)
            wanted = np.ones(len(table), np.bool_)
        size = reader.info.width, reader.info.height
    return table, plan_crops(table, wanted, size, limits, tracked=footage.truth is None)


def track_boxes(footage: Footage, reader: FrameReader) -> MotTable:
    """Run the tracker over a source."""
    system = create_system(footage.config)
    frames = show_progress(reader, footage, reader, "tracking")
    steps = step_through(system, frames, nullcontext(), live=False)
    return collect_boxes(result for _, result in steps)


def read_truth(footage: Footage, path: Path, info: SourceInfo) -> tuple[MotTable, BoolArray]:
    """The boxes of a ground truth, and which of them count.

    Raises:
        InputError: it is missing, wrong or of another video.
        UsageError: it has no such class.
    """
    sequence = footage.config.source.source.startswith(MOT_PREFIX)  # others do not know their end
    table = read_identities(path, info.frame_count if sequence else 0, f"'{info.name}'")
    middle = (table.xyxy[:, :2] + table.xyxy[:, 2:]) / 2
    outside = ((middle < 0) | (middle > (info.width, info.height))).any(axis=1)
    if outside.sum() * 2 > len(table):
        raise InputError(
            f"Most boxes of '{path}' lie outside of the {info.width}x{info.height} pixels of "
            f"'{info.name}'.",
            fix="Give the ground truth of this video, in its size.",
        )
    names = {n: MOT_CLASSES.get(n, name_number(n)) for n in np.unique(table.class_id).tolist()}
    return table, select_classes(table, footage, names) & (table.score > 0)


def read_frame_log(footage: Footage, path: Path, reader: FrameReader) -> tuple[MotTable, BoolArray]:
    """The boxes of a finished run, and which of them count.

    Raises:
        InputError: it cannot be read, or is of another video.
        UsageError: it has no such class.
    """
    known = summarise_frame_log(path)
    require_length(known, reader.info)
    next(FrameLogPlayer(known, reader, StageTimer()).frames())  # compares the first picture
    table = collect_boxes(read_results(path))
    return table, select_classes(table, footage, known.names)


def select_classes(table: MotTable, footage: Footage, names: dict[int, str]) -> BoolArray:
    """(N,) whether a box is of the classes that `--classes` asks for."""
    chosen = resolve_classes(footage.config.detector.classes, names)
    return np.full(len(table), chosen is None) | np.isin(table.class_id, sorted(chosen or ()))


def iterate_pictures(footage: Footage, reader: FrameReader) -> Iterator[Frame]:
    """The frames of a source; those of a frame log are compared with what it says.

    Raises:
        InputError: the frame log is of another video.
    """
    if footage.frame_log is None:
        yield from reader
        return
    player = FrameLogPlayer(summarise_frame_log(footage.frame_log), reader, StageTimer())
    for frame in player.frames():
        player.write(frame, player.step(frame))  # or it would keep every frame in mind
        yield frame


def show_progress(
    frames: Iterable[Frame], footage: Footage, reader: FrameReader, task: str
) -> Iterator[Frame]:
    """The same frames, with a bar on a terminal and a line now and then elsewhere."""
    config = footage.config
    total = count_selected(config.source, reader.info.frame_count)
    if config.talk.quiet:
        yield from frames
    elif sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(frames, total=total or None, desc=task, unit="frame", dynamic_ncols=True)
    else:
        said_s = perf_counter()
        for number, frame in enumerate(frames, 1):
            if perf_counter() - said_s >= SAY_EVERY_S:
                said_s = perf_counter()
                of_total = f"/{total}" if total else ""
                line = f"{task} '{reader.info.name}': frame {number}{of_total}"
                print(line, file=sys.stderr, flush=True)
            yield frame
