"""Whether a detection is where a track should be: overlap, its refinements, and reach."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mot_dinov3.config import AssociationConfig
from mot_dinov3.tracking.association.base import NearPairs, TrackView
from mot_dinov3.tracking.trajectory import Trajectory
from mot_dinov3.values import BoolArray, Detections, DoubleArray, FloatArray, IntArray
from mot_dinov3.values.boxes import (
    find_overlapping,
    intersection,
    over_union,
    sides,
    xyxy_to_cxcywh,
)

UNSURE_TURN = 0.5
"""Turn, in half circles, of a track whose direction is not known: neither for nor against."""

LEAST_PATH = 0.02
"""A track that went less far than this, in box sizes, has no direction."""

SIZES_PER_S = 3.0
"""How far a track may have gone while unseen, in box sizes a second."""

SIZE_RATIO = 2.0
"""How much larger or smaller a returning track may be."""


def find_touching(
    seen: FloatArray, predicted: FloatArray, share: FloatArray
) -> tuple[IntArray, IntArray]:
    """Which boxes, given by their sides (4, N) and (4, T), may overlap once they have grown.

    Each pair grows by the `share` (T,) of its track; here every detection grows by the largest.
    """
    return find_overlapping(_grow(seen, share.max(initial=0)), _grow(predicted, share))


def _grow(box: FloatArray, share: FloatArray | np.float32) -> FloatArray:
    margin = (box[2:] - box[:2]) * share
    return np.concatenate((box[:2] - margin, box[2:] + margin))


def compare_pairs(
    detections: Detections,
    view: TrackView,
    rows: IntArray,
    columns: IntArray,
    config: AssociationConfig,
) -> NearPairs:
    """Compare K pairs by place, whether they touch or not.

    Args:
        detections: all of the frame.
        view: the tracks as they are predicted.
        rows: (K,) the detections of the pairs.
        columns: (K,) their tracks.
        config: what counts beside the overlap, and how much.
    """
    score = detections.score[rows]
    share = compute_growth(view.away_s[columns], config)
    seen, predicted = sides(detections.xyxy[rows]), sides(view.xyxy[columns])
    found = measure_overlap(seen, predicted, share)
    overlap = refine_overlap(found, config.height_power)
    # The less confident a detection, the less its overlap counts.
    cost = 1.0 - overlap * (1.0 - config.score_fusion * (1.0 - score))
    if config.momentum > 0 and view.trajectory is not None and len(rows):
        # Going straight on makes a pair cheaper, turning round dearer.
        boxes, span_s = detections.xyxy[rows], config.momentum_s
        turn = _measure_turn_of_tracks(view.trajectory, boxes, columns, span_s)
        cost += config.momentum * score * (turn - UNSURE_TURN)
    return NearPairs(rows, columns, found.plain, overlap, np.asarray(cost, np.float32))


def _measure_turn_of_tracks(
    trajectory: Trajectory, xyxy: FloatArray, columns: IntArray, span_s: float
) -> DoubleArray:
    """(K,) `measure_turn` of tracks `columns` (K,) towards boxes (K, 4).

    Their way so far is that of the last `span_s` seconds.
    """
    centred = xyxy_to_cxcywh(xyxy).astype(np.float64)
    earlier, known = trajectory.earlier(span_s)
    turn = measure_turn(centred, trajectory.last[columns], earlier[columns])
    return np.where(known[columns], turn, UNSURE_TURN)


def compute_growth(away_s: FloatArray, config: AssociationConfig) -> FloatArray:
    """(T,) share of a side by which boxes grow, for tracks that were away for `away_s` (T,)."""
    share = np.minimum(config.growth + config.growth_per_s * away_s, config.growth_limit)
    return np.asarray(share, np.float32)


class Overlap(NamedTuple):
    """How pairs of boxes overlap, all in [0, 1].

    Attributes:
        plain: (...) intersection over union.
        grown: (...) the same of both boxes grown on each side by a share of that side (buffered
            IoU, Yang et al. 2023).
        height: (...) the same of their vertical extents alone.
    """

    plain: FloatArray
    grown: FloatArray
    height: FloatArray


def measure_overlap(seen: FloatArray, predicted: FloatArray, share: FloatArray) -> Overlap:
    """How boxes overlap.

    Args:
        seen: (4, ...) the sides of detections.
        predicted: (4, ...) the sides of the tracks' predicted boxes.
        share: (...) of their sides by which both grow.
    """
    size, other = seen[2:] - seen[:2], predicted[2:] - predicted[:2]
    areas = size[0] * size[1] + other[0] * other[1]
    common = intersection(seen, predicted)
    margin, wide = size * share, other * share
    length = np.minimum(seen[2:] + margin, predicted[2:] + wide)
    length -= np.maximum(seen[:2] - margin, predicted[:2] - wide)
    np.maximum(length, 0, out=length)
    return Overlap(
        plain=over_union(common[0] * common[1], areas),
        grown=over_union(length[0] * length[1], areas * (1 + 2 * share) ** 2),
        height=over_union(common[1], size[1] + other[1]),
    )


def refine_overlap(found: Overlap, height_power: float) -> FloatArray:
    """(...) in [0, 1]: what overlaps counts less where heights differ (HMIoU, Yang et al. 2024)."""
    if height_power == 0:
        return found.grown
    agreement = found.height
    if height_power != 1:
        agreement = agreement ** np.float32(height_power)
    return found.grown * agreement


def measure_turn(seen: DoubleArray, last: DoubleArray, earlier: DoubleArray) -> DoubleArray:
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
    return np.where(still, UNSURE_TURN, angle)


def is_reachable(seen: FloatArray, predicted: FloatArray, lost_s: FloatArray) -> BoolArray:
    """(...) whether a track lost for `lost_s` (...) seconds can be where a box is now.

    The reach grows with time at `SIZES_PER_S`, and the size may change by `SIZE_RATIO`. Boxes are
    given by their sides (4, ...), aligned or broadcast.
    """
    size, past = _length(seen), _length(predicted)
    off = 0.5 * (seen[:2] + seen[2:]) - 0.5 * (predicted[:2] + predicted[2:])
    off *= off
    far = np.sqrt(off[0] + off[1])
    ratio = size / past
    near: BoolArray = far <= past * (1.0 + SIZES_PER_S * lost_s)
    near &= ratio <= SIZE_RATIO
    near &= ratio >= 1 / SIZE_RATIO
    return near


def _length(box: FloatArray) -> FloatArray:
    """(...) root of the area of boxes given by their sides (4, ...), at least a pixel."""
    size = box[2:] - box[:2]
    np.maximum(size, 0, out=size)
    return np.asarray(np.sqrt(np.maximum(size[0] * size[1], 1.0)), np.float32)
