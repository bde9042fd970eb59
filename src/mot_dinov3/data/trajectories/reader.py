"""`mot:DIR`: the trajectories of MOTChallenge sequences; no picture is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from mot_dinov3.data.trajectories.base import Trajectories
from mot_dinov3.errors import InputError, UsageError, find_path
from mot_dinov3.io.formats.identities import read_identities
from mot_dinov3.io.formats.mot import MotTable, read_mot
from mot_dinov3.io.read.images import natural_key
from mot_dinov3.io.read.seqinfo import read_seqinfo
from mot_dinov3.io.read.sequence import MOT_PREFIX
from mot_dinov3.values import BoolArray, FloatArray, IntArray
from mot_dinov3.values.boxes import iou_matrix

TRUTH_FILE = Path("gt", "gt.txt")
SequenceLike = TypeVar("SequenceLike")
DETECTIONS = "det"
USUAL_DETECTIONS = "det.txt"
HELD_OUT_EVERY = 6
"""Of the sequences of a folder every so manieth measures what the others teach."""
SAME_IOU = 0.5
"""Overlap from which on a detection shows an object."""


def read_trajectories(spec: str) -> list[Trajectories]:
    """Read the sequence that `mot:DIR` names, or the sequences in that folder, by name.

    Raises:
        UsageError: it does not begin with `mot:`.
        InputError: there is none, or a file is damaged or names no identities.
    """
    return [read_sequence(one) for one in list_sequences(spec)]


def list_sequences(spec: str) -> list[Path]:
    """The sequence that `mot:DIR` names, or those in that folder, by name.

    Raises:
        UsageError: it does not begin with `mot:`.
        InputError: there is none.
    """
    if not spec.startswith(MOT_PREFIX) or spec == MOT_PREFIX:
        raise UsageError(
            f"--data {spec} does not say what kind of data it is.",
            fix="Give mot:DIR, a MOTChallenge sequence or a folder of them.",
        )
    folder = Path(spec.removeprefix(MOT_PREFIX)).expanduser()
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"'{folder}' {what}.", fix=find_path(folder))
    folders = [folder, *sorted(folder.iterdir(), key=natural_key)]
    found = [one for one in folders if (one / TRUTH_FILE).is_file()]
    if not found:
        raise InputError(
            f"'{folder}' holds no sequence.",
            fix=f"A sequence is a folder with seqinfo.ini and {TRUTH_FILE.as_posix()}.",
        )
    return found


def hold_out(
    sets: Sequence[Sequence[SequenceLike]],
) -> tuple[list[SequenceLike], list[SequenceLike]]:
    """The sequences to learn from, and every sixth of each set, which measures."""
    every = HELD_OUT_EVERY
    learned = [one for group in sets for place, one in enumerate(group) if (place + 1) % every]
    return learned, [one for group in sets for one in group[every - 1 :: every]]


def read_sequence(folder: Path) -> Trajectories:
    """Read one MOTChallenge sequence: its ground truth, and its detections where there are any.

    Rows of the ground truth that are marked 0 do not count.

    Raises:
        InputError: a file is damaged or names no identities, or nothing in it counts.
    """
    info = read_seqinfo(folder)
    path = folder / TRUTH_FILE
    table = read_identities(path, info.frames, "seqinfo.ini")
    truth = _spread(table, find_counted(table, path), info.frames)
    detections = find_detections(folder)
    if detections is None:
        score = np.isfinite(truth[..., 0]).astype(np.float32)
        return Trajectories(info.name, info.fps, truth, truth, score)
    seen, score = match_detections(truth, read_mot(detections))
    return Trajectories(info.name, info.fps, truth, seen, score, detected=True)


def find_counted(table: MotTable, path: Path) -> IntArray:
    """The rows of a ground truth that count, which are not marked 0.

    Raises:
        InputError: there are none; `path` is the file that the table is from.
    """
    counts = (table.score > 0).nonzero()[0]
    if not len(counts):
        raise InputError(
            f"'{path}' holds no box that counts.",
            fix="Give a ground truth; rows whose seventh column is 0 are left out.",
        )
    return counts


def _spread(table: MotTable, rows: IntArray, frames: int) -> FloatArray:
    """(F, T, 4) boxes of the rows that count, a column for each identity."""
    identities, column = np.unique(table.track_id[rows], return_inverse=True)
    out = np.full((frames, len(identities), 4), np.nan, np.float32)
    out[table.frame_index[rows], column] = table.xyxy[rows]
    return out


def find_detections(folder: Path) -> Path | None:
    """The detections of a sequence: `det/det.txt`, else the first text in `det/`."""
    usual = folder / DETECTIONS / USUAL_DETECTIONS
    if usual.is_file():
        return usual
    return next(iter(sorted((folder / DETECTIONS).glob("*.txt"), key=natural_key)), None)


def match_detections(truth: FloatArray, table: MotTable) -> tuple[FloatArray, FloatArray]:
    """Find the detection of each object: each other's best, and half of it the same.

    Args:
        truth: (F, T, 4) where the objects were, NaN where absent.
        table: the detections.

    Returns:
        (F, T, 4) boxes of the detections, NaN without, and (F, T) their confidence, 0 without.
    """
    seen, score = np.full_like(truth, np.nan), np.zeros(truth.shape[:2], np.float32)
    for frame in range(len(truth)):
        rows = table.rows_of(frame)
        here = np.flatnonzero(np.isfinite(truth[frame, :, 0]))
        boxes = table.xyxy[rows]
        if not len(here) or not len(boxes):
            continue
        found, which = _pair(iou_matrix(truth[frame, here], boxes))
        seen[frame, here[found]] = boxes[which]
        score[frame, here[found]] = table.score[rows][which]
    return seen, np.clip(score, 0.0, 1.0)


def _pair(overlap: FloatArray) -> tuple[IntArray, IntArray]:
    best = overlap == overlap.max(axis=1, keepdims=True)
    best &= overlap == overlap.max(axis=0, keepdims=True)
    mutual: BoolArray = best & (overlap >= SAME_IOU)
    rows, columns = mutual.nonzero()
    _, first = np.unique(rows, return_index=True)
    return rows[first], columns[first]
