"""Camera motion read off the boxes alone: where all boxes jump alike, it was the camera.

No pixels are needed. Predictions are paired with detections by overlap, and the median of what
they miss by is the shift of the picture, as far as the pairs agree on it. After a jump so wide
that objects overlap with the predictions of others, pairs by overlap make no sense. Then all pairs
of alike height vote for a shift (a Hough transform, Ballard 1981), and it counts if it explains
more.

For example, five people stand in a row, 100 pixels apart, and the camera turns by 100 pixels. Four
overlap with the prediction of their neighbour, which says that nothing moved. In the vote every
person has one pair at a shift of 100 pixels, five votes, and one at 0 pixels, four votes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mot_dinov3.values import DoubleArray, FloatArray, IntArray
from mot_dinov3.values.boxes import find_overlapping, iou, sides, take_boxes

LEAST_PAIRS = 4
"""A shift that fewer boxes share is their own motion."""

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


class ShiftFit(NamedTuple):
    """A shift of the picture, and what speaks for it.

    Attributes:
        shift: (2,) pixels, the median of the misses.
        misses: (2, K) what the pairs of boxes missed by.
        share: in [0, 1] how many of the boxes it explains, times how well: the median overlap.
    """

    shift: DoubleArray
    misses: DoubleArray
    share: float


def estimate_shift(seen: FloatArray, predicted: FloatArray) -> DoubleArray:
    """Estimate how the camera turned, from boxes.

    Args:
        seen: (N, 4) confident detections.
        predicted: (T, 4) well-known tracks that were there a frame ago.

    Returns:
        (2,) pixels by which the predicted boxes must move to meet the detections. The less the
        pairs agree, the smaller the shift; zero where nothing speaks for one.
    """
    nothing = np.zeros(2)
    if len(seen) < LEAST_PAIRS or len(predicted) < LEAST_PAIRS:
        return nothing
    here, there = sides(seen), sides(predicted)
    fit = _fit(here, there, nothing)
    if fit is None or fit.share < GOOD_FIT:
        voted = _vote(here, there)
        other = _fit(here, there, voted) if voted is not None else None
        if other is not None and (fit is None or other.share > fit.share):
            fit = other
    return nothing if fit is None else _shrink(fit)


def _shrink(fit: ShiftFit) -> DoubleArray:
    """(2,) the shift, made smaller by doubt: s * s^2 / (s^2 + variance of s * `DOUBT`)."""
    spread = MAD_TO_SIGMA * _median(np.abs(fit.misses - fit.shift[:, None]))
    doubt = (MEDIAN_SPREAD * spread) ** 2 / fit.misses.shape[1] * DOUBT
    squared = fit.shift**2
    return np.asarray(fit.shift * squared / np.maximum(squared + doubt, 1e-12), np.float64)


def _fit(here: FloatArray, there: FloatArray, first: DoubleArray) -> ShiftFit | None:
    """The shift that pairs by overlap agree on.

    Args:
        here: (4, N) the sides of detections.
        there: (4, T) the sides of predicted boxes.
        first: (2,) a shift that the predicted boxes are moved by before the first round.

    Returns:
        None where there are too few pairs.
    """
    shift = first
    for _ in range(ROUNDS):
        moved = there + np.concatenate((shift, shift)).astype(np.float32)[:, None]
        rows, columns, overlap = _pair_mutually(here, moved)
        if len(rows) < LEAST_PAIRS:
            return None
        misses = _centres(take_boxes(here, rows)) - _centres(take_boxes(there, columns))
        shift = _median(misses)
    boxes = min(here.shape[1], there.shape[1])
    return ShiftFit(shift, misses, len(rows) / boxes * float(np.sort(overlap)[len(rows) // 2]))


def _vote(here: FloatArray, there: FloatArray) -> DoubleArray | None:
    """(2,) the shift that most pairs of boxes could have made; None where they do not agree."""
    here = here[:, :: -(-here.shape[1] // MOST_VOTERS)]  # every nth, with n rounded up
    height, other = here[3] - here[1], there[3] - there[1]
    alike = (height[:, None] < other * ALIKE) & (height[:, None] * ALIKE > other)
    rows, columns = alike.nonzero()
    agree = max(LEAST_PAIRS, round(AGREED * min(len(height), len(other))))
    if len(rows) < agree:
        return None
    shifts = _centres(take_boxes(here, rows)) - _centres(take_boxes(there, columns))
    size = np.sqrt(np.maximum(other * (there[2] - there[0]), 1.0))
    steps = np.clip(shifts / (CELL * float(np.median(size))), -FARTHEST, FARTHEST)
    voters = _find_fullest(np.floor(steps).astype(np.int64))
    if min(len(np.unique(rows[voters])), len(np.unique(columns[voters]))) < agree:
        return None
    return _median(shifts[:, voters])


def _find_fullest(place: IntArray) -> IntArray:
    """Which points lie in the fullest square of three by three cells of a grid.

    Every cell gets a number, column by column, so that the eight cells around it have numbers at
    fixed distances: in columns of depth 10, cell 42 has 41 and 43 above and below, and 31 to 33
    and 51 to 53 beside it. Only cells that hold a point are looked up.

    Args:
        place: (2, K) the column and the line of each point's cell.

    Returns:
        The points that lie in that square.
    """
    depth = np.ptp(place[1]) + 3
    cell = place[0] * depth + place[1]
    cells, votes = np.unique(cell, return_counts=True)
    around = np.zeros(len(cells), np.int64)
    for step in (x * depth + y for x in (-1, 0, 1) for y in (-1, 0, 1)):
        at = cells.searchsorted(cells + step).clip(max=len(cells) - 1)
        around += votes[at] * (cells[at] == cells + step)
    first = (cell == cells[around.argmax()]).argmax()
    inside = (np.abs(place - place[:, first, None]) <= 1).all(axis=0)
    return np.flatnonzero(inside)


def _pair_mutually(seen: FloatArray, moved: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Pairs that are each other's best and overlap enough; an assignment is not needed here.

    Args:
        seen: (4, N) the sides of detections.
        moved: (4, T) the sides of predicted boxes.

    Returns:
        (K,) of the detections, of the tracks, and by how much they overlap.
    """
    rows, columns = find_overlapping(seen, moved)
    overlap = iou(take_boxes(seen, rows), take_boxes(moved, columns))
    of_row, of_column = np.zeros(seen.shape[1], np.float32), np.zeros(moved.shape[1], np.float32)
    np.maximum.at(of_row, rows, overlap)
    np.maximum.at(of_column, columns, overlap)
    best = np.maximum(of_row[rows], of_column[columns])
    good = (overlap >= np.maximum(best, LOOSE_IOU)).nonzero()[0]
    return rows[good], columns[good], overlap[good]


def _median(values: DoubleArray) -> DoubleArray:
    """(2,) median of (2, K) values; numpy's own takes longer than all the rest."""
    ordered, half = np.sort(values, axis=1), values.shape[1] // 2
    if values.shape[1] % 2:
        return ordered[:, half]
    return np.multiply(0.5, ordered[:, half - 1] + ordered[:, half])


def _centres(box: FloatArray) -> DoubleArray:
    """(2, K) centres of boxes given by their sides (4, K)."""
    return np.multiply(0.5, (box[:2] + box[2:]).astype(np.float64))
