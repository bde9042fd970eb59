"""How well a detection is where a track should be: overlap and its refinements."""

from __future__ import annotations

import numpy as np

from mot_dinov3.boxes import area, overlapping
from mot_dinov3.config import AssociationConfig
from mot_dinov3.motion.kalman import Array
from mot_dinov3.structures import FloatArray, IntArray

UNSURE_TURN = 0.5
"""Turn, in half circles, of a track whose direction nobody knows: neither for nor against."""

LEAST_PATH = 0.02
"""A track that went less far than this, in box sizes, has no direction."""


def growth(away_s: FloatArray, config: AssociationConfig) -> FloatArray:
    """(T,) share of a side by which boxes grow, for tracks that were away for `away_s` (T,)."""
    share = np.minimum(config.growth + config.growth_per_s * away_s, config.growth_limit)
    out: FloatArray = share.astype(np.float32, copy=False)
    return out


def touching(
    seen: FloatArray, predicted: FloatArray, share: FloatArray
) -> tuple[IntArray, IntArray]:
    """Rows of boxes (N, 4) and (T, 4) that may have something in common once they have grown.

    Each pair grows by the `share` (T,) of its track; here every detection grows by the largest.
    """
    return overlapping(_grown(seen, share.max(initial=0)), _grown(predicted, share[:, None]))


def _grown(xyxy: FloatArray, share: FloatArray | np.float32) -> FloatArray:
    margin = (xyxy[:, 2:] - xyxy[:, :2]) * share
    return np.concatenate((xyxy[:, :2] - margin, xyxy[:, 2:] + margin), axis=1)


def place_similarity(
    seen: FloatArray, predicted: FloatArray, share: FloatArray, height_power: float
) -> FloatArray:
    """(...) in [0, 1]: overlap of boxes (..., 4) with predicted ones, aligned or broadcast.

    Boxes grow by their `share` (...) of a side before they are compared (buffered IoU, Yang et
    al. 2023); and what overlaps is worth less where the heights differ (height-modulated IoU,
    Yang et al. 2024).
    """
    overlap = grown_iou(seen, predicted, share)
    if height_power > 0:
        agreement = height_iou(seen, predicted)
        if height_power != 1:
            agreement **= np.float32(height_power)
        overlap *= agreement
    return overlap


def grown_iou(seen: FloatArray, predicted: FloatArray, share: FloatArray) -> FloatArray:
    """(...) IoU of boxes (..., 4), both grown on each side by `share` (...) of that side."""
    common: FloatArray = _grown_extent(seen, predicted, share, 0)
    common *= _grown_extent(seen, predicted, share, 1)
    union = (area(seen) + area(predicted)) * (1 + 2 * share) ** 2
    union -= common
    np.maximum(union, np.float32(1e-9), out=union)
    common /= union
    return common


def _grown_extent(
    seen: FloatArray, predicted: FloatArray, share: FloatArray, axis: int
) -> FloatArray:
    """(...) length that grown boxes have in common along x (0) or y (1)."""
    low, high = seen[..., axis], seen[..., axis + 2]
    other_low, other_high = predicted[..., axis], predicted[..., axis + 2]
    margin, wide = (high - low) * share, (other_high - other_low) * share
    length: FloatArray = np.minimum(high + margin, other_high + wide)
    length -= np.maximum(low - margin, other_low - wide)
    np.maximum(length, 0, out=length)
    return length


def height_iou(seen: FloatArray, predicted: FloatArray) -> FloatArray:
    """(...) overlap of the vertical extents of boxes (..., 4), aligned or broadcast."""
    top, bottom = seen[..., 1], seen[..., 3]
    other_top, other_bottom = predicted[..., 1], predicted[..., 3]
    common: FloatArray = np.minimum(bottom, other_bottom)
    common -= np.maximum(top, other_top)
    np.maximum(common, 0, out=common)
    either = np.maximum((bottom - top) + (other_bottom - other_top) - common, np.float32(1e-9))
    common /= either
    return common


def turn(seen: Array, last: Array, earlier: Array) -> Array:
    """(...) turn in half circles from a track's way so far to the way to a detection.

    The way so far leads from `earlier` to `last`, the other one from `earlier` to a detection;
    boxes (..., 4) are centre and size, aligned or broadcast (observation-centric momentum, Cao et
    al. 2023). Neutral where the track hardly moved.
    """
    way, there = last[..., :2] - earlier[..., :2], seen[..., :2] - earlier[..., :2]
    length, distance = np.linalg.norm(way, axis=-1), np.linalg.norm(there, axis=-1)
    cosine = (there * way).sum(axis=-1) / np.maximum(distance * length, 1e-9)
    angle = np.arccos(np.clip(cosine, -1, 1)) / np.pi
    still = length <= LEAST_PATH * 0.5 * (last[..., 2] + last[..., 3])
    out: Array = np.where(still, UNSURE_TURN, angle)
    return out
