"""How well a detection is where a track should be: overlap and its refinements."""

from __future__ import annotations

import numpy as np

from mot_dinov3.boxes import area, iou_matrix
from mot_dinov3.config import AssociationConfig
from mot_dinov3.motion.kalman import Array
from mot_dinov3.structures import FloatArray

UNSURE_TURN = 0.5
"""Turn, in half circles, of a track whose direction nobody knows: neither for nor against."""

LEAST_PATH = 0.02
"""A track that went less far than this, in box sizes, has no direction."""


def place_similarity(
    seen: FloatArray, predicted: FloatArray, away_s: FloatArray, config: AssociationConfig
) -> FloatArray:
    """(N, T) in [0, 1]: overlap of boxes (N, 4) with predicted ones (T, 4).

    Boxes grow before they are compared (buffered IoU, Yang et al. 2023), more for a track that
    was away for `away_s` (T,) seconds; and what overlaps is worth less where the heights differ
    (height-modulated IoU, Yang et al. 2024).
    """
    growth = np.minimum(config.growth + config.growth_per_s * away_s, config.growth_limit)
    overlap = grown_iou(seen, predicted, growth) if growth.any() else iou_matrix(seen, predicted)
    if config.height_power > 0:
        agreement = height_iou(seen, predicted)
        if config.height_power != 1:
            agreement **= np.float32(config.height_power)
        overlap *= agreement
    return overlap


def grown_iou(seen: FloatArray, predicted: FloatArray, growth: FloatArray) -> FloatArray:
    """(N, T) IoU of boxes (N, 4) and (T, 4), both grown on each side by `growth` (T,) of a side."""
    share = growth.astype(np.float32)[None, :]
    common: FloatArray = _grown_extent(seen, predicted, share, 0)
    common *= _grown_extent(seen, predicted, share, 1)
    union = (area(seen)[:, None] + area(predicted)[None, :]) * (1 + 2 * share) ** 2
    union -= common
    np.maximum(union, np.float32(1e-9), out=union)
    common /= union
    return common


def _grown_extent(
    seen: FloatArray, predicted: FloatArray, share: FloatArray, axis: int
) -> FloatArray:
    """(N, T) length that grown boxes have in common along x (0) or y (1)."""
    margin = (seen[:, axis + 2] - seen[:, axis])[:, None] * share
    wide = (predicted[:, axis + 2] - predicted[:, axis]) * share[0]
    length: FloatArray = np.minimum(seen[:, None, axis + 2] + margin, predicted[:, axis + 2] + wide)
    length -= np.maximum(seen[:, None, axis] - margin, predicted[:, axis] - wide)
    np.maximum(length, 0, out=length)
    return length


def height_iou(seen: FloatArray, predicted: FloatArray) -> FloatArray:
    """(N, T) overlap of the vertical extents of boxes (N, 4) and (T, 4)."""
    common: FloatArray = np.minimum(seen[:, None, 3], predicted[None, :, 3])
    common -= np.maximum(seen[:, None, 1], predicted[None, :, 1])
    np.maximum(common, 0, out=common)
    height, other = seen[:, 3] - seen[:, 1], predicted[:, 3] - predicted[:, 1]
    either = np.maximum(height[:, None] + other[None, :] - common, np.float32(1e-9))
    common /= either
    return common


def turn(seen: Array, last: Array, earlier: Array) -> Array:
    """(N, T) turn in half circles from a track's way so far to the way to a detection.

    The way so far leads from `earlier` to `last` (T, 4), the other one from `earlier` to a
    detection (N, 4); boxes are centre and size (observation-centric momentum, Cao et al. 2023).
    Neutral where the track hardly moved.
    """
    way = last[:, :2] - earlier[:, :2]
    length = np.linalg.norm(way, axis=1)
    there = seen[:, None, :2] - earlier[None, :, :2]
    distance = np.linalg.norm(there, axis=2)
    cosine = (there * way[None]).sum(axis=2) / np.maximum(distance * length[None], 1e-9)
    angle = np.arccos(np.clip(cosine, -1, 1)) / np.pi
    still = length <= LEAST_PATH * 0.5 * (last[:, 2] + last[:, 3])
    out: Array = np.where(still[None], UNSURE_TURN, angle)
    return out
