"""Camera motion read off the boxes alone: where everybody jumps alike, it was the camera.

No pixels are needed. Predictions are paired with detections by overlap, and the median of what
they miss by is the shift of the picture, as far as the pairs agree on it.
"""

from __future__ import annotations

import numpy as np

from mot_dinov3.boxes import iou, overlapping, sides, some
from mot_dinov3.motion.kalman import Array
from mot_dinov3.structures import FloatArray, IntArray

LEAST_PAIRS = 4
"""A shift that fewer boxes share is their own affair."""

LOOSE_IOU = 0.235
"""Overlap that makes a pair here: a camera that jumps leaves little."""

ROUNDS = 2
"""The second round pairs again after the shift of the first."""

MAD_TO_SIGMA, MEDIAN_SPREAD = 1.4826, 1.25
"""Of a normal distribution: its standard deviation per median absolute deviation, and how much
more a median scatters than a mean."""


DOUBT = 9.0
"""A shift that is as small as its standard error times the root of this is halved."""


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
    off, moved = nothing, there
    for _ in range(ROUNDS):
        rows, columns = _mutual(here, moved)
        if len(rows) < LEAST_PAIRS:
            return nothing
        misses = _centres(some(here, rows)) - _centres(some(there, columns))
        off = _median(misses)
        moved = there + np.concatenate((off, off)).astype(np.float32)[:, None]
    spread = MAD_TO_SIGMA * _median(np.abs(misses - off[:, None]))
    doubt = (MEDIAN_SPREAD * spread) ** 2 / misses.shape[1] * DOUBT
    shrunk: Array = off * off**2 / np.maximum(off**2 + doubt, 1e-12)
    return shrunk


def _mutual(seen: FloatArray, moved: FloatArray) -> tuple[IntArray, IntArray]:
    """Pairs that are each other's best and overlap enough: no need to assign everybody here."""
    rows, columns = overlapping(seen, moved)
    overlap = iou(some(seen, rows), some(moved, columns))
    of_row, of_column = np.zeros(seen.shape[1], np.float32), np.zeros(moved.shape[1], np.float32)
    np.maximum.at(of_row, rows, overlap)
    np.maximum.at(of_column, columns, overlap)
    best = np.maximum(of_row[rows], of_column[columns])
    good = (overlap >= np.maximum(best, LOOSE_IOU)).nonzero()[0]
    return rows[good], columns[good]


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
