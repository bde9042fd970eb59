"""Text of one box a line, as data sets of single objects write it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mot_dinov3.errors import InputError, cannot_read
from mot_dinov3.runtime.limits import BOXES
from mot_dinov3.runtime.opening import read_text
from mot_dinov3.values import DoubleArray, FloatArray

MOST_PX = 1e6
"""Pixels beyond this are damage, not data."""
FORM = "A line is x,y,width,height, or the corners of a polygon; NaN where the object is absent."


def read_rectangles(path: Path) -> FloatArray:
    """Read a box a line: left, top, width and height, or the eight numbers of a polygon.

    Commas, semicolons, tabs or blanks separate them. Boxes stand as the file has them: OTB counts
    pixels from 1, others from 0, files do not say which, and the tools that score them do not
    ask. A polygon becomes its upright hull. An empty line, NaN and a box without area say that
    the object is absent.

    Returns:
        (N, 4) float32 xyxy; NaN where the object is absent.

    Raises:
        InputError: the file cannot be read, or a line makes no sense; it is named.
    """
    lines = _read_lines(path)
    rows = [_read_row(line, f"'{path}' line {number}") for number, line in enumerate(lines, 1)]
    return np.array(rows, np.float32).reshape(-1, 4)


def read_marks(path: Path) -> FloatArray:
    """Read a number a line, such as those of `absence.label`; returns (N,) float32.

    Raises:
        InputError: the file cannot be read, or a line is not a number.
    """
    numbers = [
        _read_numbers(line, f"'{path}' line {n}") for n, line in enumerate(_read_lines(path), 1)
    ]
    return np.array([row[0] if len(row) else 0 for row in numbers], np.float32)


def _read_lines(path: Path) -> list[str]:
    try:
        return read_text(path, BOXES).rstrip().splitlines()
    except (OSError, ValueError) as error:
        raise cannot_read(path, error) from error


def _read_row(line: str, where: str) -> DoubleArray:
    numbers = _read_numbers(line, where)
    if len(numbers) not in (0, 4, 8):
        raise InputError(f"{where}: {len(numbers)} numbers are not a box.", fix=FORM)
    if len(numbers) == 8:
        corners = numbers.reshape(4, 2)
        box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    else:
        box = numbers if len(numbers) else np.full(4, np.nan)
        box = np.concatenate([box[:2], box[:2] + box[2:]])
    if (np.abs(box) > MOST_PX).any():
        raise InputError(f"{where}: a number is beyond {MOST_PX:g}.", fix=FORM)
    has_area = bool((box[2:] > box[:2]).all())
    return box if has_area else np.full(4, np.nan)


def _read_numbers(line: str, where: str) -> DoubleArray:
    words = [word for word in re.split(r"[,;\s]+", line) if word]
    try:
        return np.array([float(word) for word in words], np.float64)
    except ValueError:
        raise InputError(
            f"{where}: '{line.strip()[:40]}' is not a row of numbers.", fix=FORM
        ) from None
