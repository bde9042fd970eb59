"""What a policy may use: place, history and crop quality, gathered before any embedding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mot_dinov3.scheduling.policies.base import POOR_QUALITY, PlanInput
from mot_dinov3.tracking.association.base import Associator, Comparison, TrackView
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    BoolArray,
    EmbedPlan,
    FloatArray,
    Frame,
    IntArray,
    Reason,
)
from mot_dinov3.values.boxes import (
    area,
    clip,
    find_overlapping,
    intersection,
    over_union,
    sides,
    take_boxes,
)

AHEAD_S = 1 / 3
"""How far ahead a policy may see the motion of tracks, in seconds."""

BORDER_PX, CUT_OFF = 2.0, 0.5
"""A box this near to the border is cut off by it, and worth this share of a whole one."""

FULL_SIZE_PX = 48.0
"""Crops whose sides' geometric mean is this long or longer are not too small."""


def build_plan_input(
    comparison: Comparison,
    view: TrackView,
    associator: Associator,
    frame: Frame,
    frame_index: int,
    sharp: FloatArray,
) -> PlanInput:
    """Gather what a policy may use; a plan's track rows count the active tracks only.

    Args:
        comparison: the frame's detections, compared with the prediction.
        view: the tracks as they are predicted.
        associator: says what it would charge for pairs, and which tracks may return.
        frame: the picture, of which the size is used.
        frame_index: how many frames were tracked before this one.
        sharp: (N,) in [0, 1], how sharp each crop is.
    """
    active, away = find_active_rows(view), (view.state == LOST).nonzero()[0]
    column = np.concatenate((active, away)).argsort()[comparison.near.columns]
    price = associator.place_cost(comparison, view)
    cost = spread_over_matrix(comparison, view, column, price, np.inf)
    iou = spread_over_matrix(comparison, view, column, comparison.near.iou, 0.0)
    here = len(active)
    frame_wh = get_frame_size(frame)
    overlap, visible = measure_crowding(comparison)
    every = np.arange(len(comparison.strong))
    return PlanInput(
        frame_index=frame_index,
        frame_wh=frame_wh,
        xyxy=comparison.detections.xyxy,
        score=comparison.detections.score,
        eligible=comparison.eligible,
        fertile=comparison.fertile,
        quality=rate_crops(comparison, visible * sharp, frame_wh),
        overlap=overlap,
        iou=iou[:, :here],
        cost=cost[:, :here],
        track_id=view.id[active],
        track_xyxy=view.xyxy[active],
        ahead_xyxy=view.motion.ahead(AHEAD_S)[active],
        confirmed=view.state[active] == CONFIRMED,
        hits=view.hits[active],
        staleness=view.staleness[active],
        disputed=view.disputed[active],
        known=view.gallery.known[active],
        gallery_count=view.gallery.count[active],
        drift=view.gallery.drift[active],
        surprise=view.gallery.surprise[active],
        appearance=view.gallery.mean[active],
        lost_id=view.id[away],
        lost_xyxy=view.xyxy[away],
        lost_known=view.gallery.known[away],
        lost_appearance=view.gallery.mean[away],
        lost_s=view.lost_s[away],
        lost_cost=cost[:, here:],
        returns=associator.may_return(comparison, view, every, away),
    )


def spread_over_matrix(
    comparison: Comparison, view: TrackView, column: IntArray, values: FloatArray, far: float
) -> FloatArray:
    """Write values of the near pairs into a matrix.

    Args:
        comparison: the frame with its K near pairs.
        view: its T tracks.
        column: (K,) the column of each pair.
        values: (K,) what is written.
        far: the value of all other pairs.

    Returns:
        (N, T) float32.
    """
    out = np.full((len(comparison.strong), len(view)), far, np.float32)
    out[comparison.near.rows, column] = values
    return out


def find_active_rows(view: TrackView) -> IntArray:
    """Rows of the tracks that a plan speaks of: all that are not lost."""
    return np.flatnonzero(view.state != LOST)


def get_frame_size(frame: Frame) -> tuple[int, int]:
    """Width and height of the picture, (0, 0) for an empty picture."""
    return (frame.width, frame.height) if frame.width > 1 and frame.height > 1 else (0, 0)


def measure_crowding(comparison: Comparison) -> tuple[FloatArray, FloatArray]:
    """Measure how confident detections cover each other.

    Returns:
        (N,) highest IoU of each with another one of its class, and (N,) share that is not
        covered by a nearer one, of any class: a camera above the ground sees the object whose
        lower edge is lower in the picture in front of the other.
    """
    n = len(comparison.strong)
    overlap, visible = np.zeros(n, np.float32), np.ones(n, np.float32)
    rows = comparison.strong.nonzero()[0]
    boxes = sides(comparison.detections.xyxy[rows])
    i, j = find_overlapping(boxes, boxes)
    pairs = (i < j).nonzero()[0]
    if not len(pairs):
        return overlap, visible
    i, j = i[pairs], j[pairs]
    width, height = boxes[2:] - boxes[:2]
    size = np.maximum(width * height, 1e-6)
    across, down = intersection(take_boxes(boxes, i), take_boxes(boxes, j))
    common = across * down
    lower = boxes[3]
    behind = np.where(lower[i] < lower[j], i, j)
    hidden = np.bincount(behind, common * (lower[i] != lower[j]), len(rows))
    visible[rows] = np.maximum(1.0 - hidden.astype(np.float32) / size, 0.0)
    class_id = comparison.detections.class_id[rows]
    same = class_id[i] == class_id[j]
    shared = over_union(common, size[i] + size[j]) * same
    np.maximum.at(overlap, rows[i], shared)
    np.maximum.at(overlap, rows[j], shared)
    return overlap, visible


def rate_crops(
    comparison: Comparison, visible: FloatArray, frame_wh: tuple[int, int]
) -> FloatArray:
    """(N,) in [0, 1]: confidence times size times what is `visible` (N,) and inside the frame."""
    boxes = comparison.detections.xyxy
    size = np.maximum(area(boxes), 1e-6)
    large = np.minimum(1.0, np.sqrt(size) / FULL_SIZE_PX)
    quality: FloatArray = comparison.detections.score * visible * large
    border = touches_border(boxes, frame_wh)
    if border.any():
        inside = area(clip(boxes, *frame_wh)) / size
        quality *= inside * np.where(border & (inside > 1 - 1e-3), CUT_OFF, 1.0)
    return quality.clip(0.0, 1.0).astype(np.float32, copy=False)


def touches_border(xyxy: FloatArray, frame_wh: tuple[int, int]) -> BoolArray:
    """(N,) whether a box touches the border of the frame, so that part of it is not seen."""
    if not min(frame_wh):
        return np.zeros(len(xyxy), np.bool_)
    low, high = xyxy[:, :2] <= BORDER_PX, xyxy[:, 2:] >= np.array(frame_wh) - BORDER_PX
    return np.asarray((low | high).any(axis=1), np.bool_)


def include_all_able(plan: EmbedPlan) -> EmbedPlan:
    """Add every confident detection to the refreshes of a plan that embeds at all.

    Where one pass embeds the whole picture, more rows cost nothing.
    """
    if not len(plan.critical) and not len(plan.refresh):
        return plan
    able = plan.reason[plan.reuse] != Reason.LOW_SCORE
    refresh = np.concatenate((plan.refresh, plan.reuse[able]))
    return replace(plan, refresh=refresh, reuse=plan.reuse[~able])


def mark_poor(plan: EmbedPlan, quality: FloatArray) -> EmbedPlan:
    """Mark bad crops in a plan: they may be compared, but enter no gallery and count less.

    Args:
        plan: every detection's fate.
        quality: (N,) in [0, 1], how well each crop shows its object.
    """
    poor = quality < POOR_QUALITY
    poor[plan.poor] = True
    rows = poor.nonzero()[0]
    return plan if len(rows) == len(plan.poor) else replace(plan, poor=rows)


def leave_out(plan: EmbedPlan, rows: BoolArray) -> EmbedPlan:
    """A plan that computes nothing for `rows` (N,), whose vectors are known already."""
    reason, track = plan.reason.copy(), plan.track.copy()
    reason[rows], track[rows] = Reason.SUPPLIED, -1
    critical, refresh = (wanted[~rows[wanted]] for wanted in (plan.critical, plan.refresh))
    reuse = np.union1d(plan.reuse, rows.nonzero()[0])
    return replace(
        plan, critical=critical, refresh=refresh, reuse=reuse, reason=reason, track=track
    )
