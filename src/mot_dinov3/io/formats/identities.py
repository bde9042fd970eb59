"""MOT text that names identities: a ground truth or a result, checked as such."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mot_dinov3.errors import InputError
from mot_dinov3.io.formats.mot import MotTable, read_mot, read_mot_lines


def read_identities(path: Path, frames: int = 0, length_from: str = "") -> MotTable:
    """Read a file in which every box has an identity, at most once a frame.

    Args:
        path: MOT text, see `read_mot`.
        frames: how many frames there are, 0 when nothing is known.
        length_from: where that length comes from, for the message.

    Raises:
        InputError: the file cannot be read; a row is bad, has no identity or one that its frame
            has already, or lies beyond the last frame. File and line are named.
    """
    table = read_mot(path)
    if (table.track_id < 0).any():
        raise _missing_identity(path)
    if frames and len(table) and table.frame_index[-1] >= frames:
        raise _frame_beyond_end(path, frames, length_from)
    if np.unique(np.stack((table.frame_index, table.track_id)), axis=1).shape[1] < len(table):
        raise _build_repetition_error(path)
    return table


def _missing_identity(path: Path) -> InputError:
    number, _, identity = next(row for row in _read_rows(path) if row[2] < 0)
    return InputError(
        f"'{path}' line {number}: {identity} is not an identity.",
        fix="Give tracks, not detections: every box needs an identity from 0.",
    )


def _frame_beyond_end(path: Path, frames: int, length_from: str) -> InputError:
    number, frame, _ = next(row for row in _read_rows(path) if row[1] > frames)
    return InputError(
        f"'{path}' line {number}: frame {frame} lies beyond the last one, {frames} "
        f"({length_from}).",
        fix="Frames count from 1. Check that both files are of one video and one part of it; "
        "--frames scores a part.",
    )


def _build_repetition_error(path: Path) -> InputError:
    seen: dict[tuple[int, int], int] = {}
    for number, frame, identity in _read_rows(path):
        before = seen.setdefault((frame, identity), number)
        if before != number:
            return InputError(
                f"'{path}' line {number}: identity {identity} is in frame {frame} already "
                f"(line {before}).",
                fix="An identity has one box in a frame: remove the other.",
            )
    raise AssertionError(f"{path} has no identity twice")


def _read_rows(path: Path) -> Iterator[tuple[int, int, int]]:
    """Read (line number, 1-based frame, identity) of every row, in the order of the file."""
    for number, raw in read_mot_lines(path):
        line = raw.partition("#")[0]
        words = line.replace(",", " ").split()
        if words:
            yield number, int(float(words[0])), int(float(words[1]))
