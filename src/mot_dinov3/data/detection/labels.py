"""A text of boxes as YOLO has them: a line for each, class, centre, width and height."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mot_dinov3.data.detection.base import LeftOut
from mot_dinov3.runtime.limits import BOXES
from mot_dinov3.runtime.opening import read_text
from mot_dinov3.values import BoolArray, DoubleArray, FloatArray, IntArray
from mot_dinov3.values.boxes import clip, cxcywh_to_xyxy, xyxy_to_cxcywh

NUMBERS = 5
LONGEST_SIDE = 2.0
"""Of a box, in pictures: boxes may reach over the border, but numbers in pixels are no shares."""
MOST = 1e6
"""Numbers beyond are damage, and fit no float32."""
LEAST_SIDE = 1e-6
"""Of what is left of a box inside of its picture, in pictures."""


class Tally:
    """Counts what is left out of a data set, and keeps where each kind came up first."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._counts: dict[str, int] = {}
        self._places: dict[str, str] = {}

    def note(self, reason: str, place: str) -> None:
        """Count one; `reason` is a key of `base.REASONS`."""
        self._counts[reason] = self._counts.get(reason, 0) + 1
        self._places.setdefault(reason, place)

    @property
    def left_out(self) -> LeftOut:
        """What was counted so far."""
        return LeftOut(dict(self._counts), dict(self._places))


def read_labels(
    path: Path, names: Mapping[int, str], tally: Tally
) -> tuple[FloatArray, IntArray] | None:
    """Read the boxes of a picture, cut to the picture.

    Args:
        path: the text; without it the picture shows nothing.
        names: the classes that there are.
        tally: is told of lines that cannot be used.

    Returns:
        (N, 4) float32 cxcywh as shares of the picture and (N,) int64 class ids; None where the
        file cannot be read.
    """
    try:
        lines = read_text(path, BOXES).splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, ValueError):
        tally.note("labels", str(path))
        return None
    rows, numbers = _parse(lines, path, tally)
    cxcywh = rows[:, 1:].clip(-MOST, MOST).astype(np.float32)
    inside = xyxy_to_cxcywh(clip(cxcywh_to_xyxy(cxcywh), 1, 1))
    good = np.ones(len(rows), np.bool_)
    for reason, wrong in (
        ("class", ~np.isin(rows[:, 0], list(names))),
        ("outside", ~_has_area(cxcywh) | (inside[:, 2:] < LEAST_SIDE).any(axis=1)),
        ("repeated", _repeats(rows)),
    ):
        for row in (good & wrong).nonzero()[0]:
            tally.note(reason, f"{path} line {numbers[row]}")
        good &= ~wrong
    return inside[good], rows[good, 0].astype(np.int64)


def _parse(lines: list[str], path: Path, tally: Tally) -> tuple[DoubleArray, list[int]]:
    """(N, 5) the lines that are five numbers, the first of them whole, and which lines they are."""
    rows, numbers = [], []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        try:
            row = [float(word) for word in words]
        except ValueError:
            row = []
        if len(row) == NUMBERS and np.isfinite(row).all() and row[0] == int(row[0]):
            rows.append(row)
            numbers.append(number)
        else:
            tally.note("line", f"{path} line {number}")
    return np.array(rows, np.float64).reshape(-1, NUMBERS), numbers


def _has_area(cxcywh: FloatArray) -> BoolArray:
    sides = cxcywh[:, 2:]
    return np.asarray(((sides > 0) & (sides <= LONGEST_SIDE)).all(axis=1), np.bool_)


def _repeats(rows: DoubleArray) -> BoolArray:
    """(N,) whether a row says what an earlier one says."""
    out = np.ones(len(rows), np.bool_)
    out[np.unique(rows, axis=0, return_index=True)[1]] = False
    return out
