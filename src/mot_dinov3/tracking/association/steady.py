"""Camera motion read off the boxes alone: where everybody jumps alike, it was the camera.

No pixels are needed. Predictions are paired with detections by overlap, and the median of what
they miss by is the shift of the picture, as far as the pairs agree on it. After a jump so wide
that people overlap with the predictions of others, pairs by overlap make no sense; then all pairs
of alike height vote for a shift (a Hough transform, Ballard 1981), and it counts if it explains
more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mot_dinov3.tracking.motion.kalman import Array
from mot_dinov3.values import FloatArray, IntArray
from mot_dinov3.values.boxes import iou, overlapping, sides, some

LEAST_PAIRS = 4
"""A shift that fewer boxes share is their own affair."""

LOOSE_IOU = 0.235
"""Overlap that makes a pair here: a camera that jumps leaves little."""

ROUNDS = 2
"""The second round pairs again after the shift of the first."""

GOOD_FIT = 0.6
"""A shift that explains this share of the boxes this well, or more, is not doubted."""

ALIKE = 1.3
"""Boxes of one object in two frames differ in height by no more than this factor."""

CELL = 0.07
"""Step of the grid of shifts, as a share of a usual box: dancers who jump together differ more."""

AGREED = 0.65
"""Share of the boxes that must vote for the same shift."""

MOST_VOTERS = 32
"""Of more detections than these, some speak for all: votes of all pairs would take long."""

FARTHEST = 1e9
"""Steps of the grid; nothing real lies beyond."""

MAD_TO_SIGMA, MEDIAN_SPREAD = 1.4826, 1.25
"""Of a normal distribution: its standard deviation per median absolute deviation, and how much
more a median scatters than a mean."""


DOUBT = 9.0
"""A shift that is as small as its standard error times the root of this is halved."""


class Fit(NamedTuple):
    """A shift of the picture, and what speaks for it.

    Attributes:
        off: (2,) pixels, the median of the misses.
        misses: (2, K) what the pairs of boxes missed by.
        share: in [0, 1] how many of the boxes it explains, times how well: the median overlap.
    """

    off: Array
    misses: Array
    share: float


def shared_shift(seen: FloatArray, predicted: FloatArray) -> Array:
    """(2,) pixels by which predicted boxes must move to meet the boxes seen, shrunk by doubt.

    Args:
        seen: (N, 4) confident detections.
        predicted: (T, 4) well-known tracks that were there a frame ago.
    """
    nothing = np.zeros(2)
    if len(seen) < LEAST_PAIRS or len(predicted) < LEAST_PAIRS:
        return nothing
    here, there = sides(seen), sides(predicted)
    fit = _fit(here, there, nothing)
    if fit is None or fit.share < GOOD_FIT:
        voted = _voted(here, there)
        other = _fit(here, there, voted) if voted is not None else None
        if other is not None and (fit is None or other.share > fit.share):
            fit = other
    if fit is None:
        return nothing
    off, misses, _ = fit
    spread = MAD_TO_SIGMA * _median(np.abs(misses - off[:, None]))
    doubt = (MEDIAN_SPREAD * spread) ** 2 / misses.shape[1] * DOUBT
    shrunk: Array = off * off**2 / np.maximum(off**2 + doubt, 1e-12)
    return shrunk


def _fit(here: FloatArray, there: FloatArray, off: Array) -> Fit | None:
    """The shift that pairs by overlap agree on, after one of `off` (2,); None for too few."""
    for _ in range(ROUNDS):
        rows, columns, overlap = _mutual(here, _shifted(there, off))
        if len(rows) < LEAST_PAIRS:
            return None
        misses = _centres(some(here, rows)) - _centres(some(there, columns))
        off = _median(misses)
    boxes = min(here.shape[1], there.shape[1])
    return Fit(off, misses, len(rows) / boxes * float(np.sort(overlap)[len(rows) // 2]))


def _voted(here: FloatArray, there: FloatArray) -> Array | None:
    """(2,) the shift that most pairs of boxes could have made; None where they do not agree."""
    here = here[:, :: -(-here.shape[1] // MOST_VOTERS)]
    height, other = here[3] - here[1], there[3] - there[1]
    alike = (height[:, None] < other * ALIKE) & (height[:, None] * ALIKE > other)
    rows, columns = alike.nonzero()
    agree = max(LEAST_PAIRS, round(AGREED * min(len(height), len(other))))
    if len(rows) < agree:
        return None
    shifts = _centres(some(here, rows)) - _centres(some(there, columns))
    size = np.sqrt(np.maximum(other * (there[2] - there[0]), 1.0))
    steps = np.clip(shifts / (CELL * float(np.median(size))), -FARTHEST, FARTHEST)
    voters = _fullest(np.floor(steps).astype(np.int64))
    if min(len(np.unique(rows[voters])), len(np.unique(columns[voters]))) < agree:
        return None
    return _median(shifts[:, voters])


def _fullest(place: IntArray) -> IntArray:
    """Which of the points (2, K) of a grid lie in the fullest three by three cells of it."""
    depth = np.ptp(place[1]) + 3
    cell = place[0] * depth + place[1]
    cells, votes = np.unique(cell, return_counts=True)
    around = np.zeros(len(cells), np.int64)
    for step in (x * depth + y for x in (-1, 0, 1) for y in (-1, 0, 1)):
        at = cells.searchsorted(cells + step).clip(max=len(cells) - 1)
        around += votes[at] * (cells[at] == cells + step)
    first = (cell == cells[around.argmax()]).argmax()
    inside: IntArray = (np.abs(place - place[:, first, None]) <= 1).all(axis=0).nonzero()[0]
    return inside


def _shifted(box: FloatArray, off: Array) -> FloatArray:
    """(4, T) the boxes, given by their sides, moved by `off` (2,)."""
    out: FloatArray = box + np.concatenate((off, off)).astype(np.float32)[:, None]
    return out


def _mutual(seen: FloatArray, moved: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Pairs that are each other's best and overlap enough: no need to assign everybody here.

    Returns:
        (K,) of the detections, of the tracks, and by how much they overlap.
    """
    rows, columns = overlapping(seen, moved)
    overlap = iou(some(seen, rows), some(moved, columns))
    of_row, of_column = np.zeros(seen.shape[1], np.float32), np.zeros(moved.shape[1], np.float32)
    np.maximum.at(of_row, rows, overlap)
    np.maximum.at(of_column, columns, overlap)
    best = np.maximum(of_row[rows], of_column[columns])
    good = (overlap >= np.maximum(best, LOOSE_IOU)).nonzero()[0]
    return rows[good], columns[good], overlap[good]


def _median(values: Array) -> Array:
    """(2,) median of (2, K) values; numpy's own takes longer than all the rest."""
    ordered, half = np.sort(values, axis=1), values.shape[1] // 2
    if values.shape[1] % 2:
        return ordered[:, half]
    out: Array = 0.5 * (ordered[:, half - 1] + ordered[:, half])
    return out


def _centres(box: FloatArray) -> Array:
    """(2, K) centres of boxes given by their sides (4, K)."""
    centres: Array = 0.5 * (box[:2] + box[2:]).astype(np.float64)
    return centres
