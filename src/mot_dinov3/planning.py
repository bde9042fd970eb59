"""What a policy gets to see: place, history and crop quality, gathered before any embedding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mot_dinov3.association.base import Associator, Scene, TrackView
from mot_dinov3.boxes import area, clip, iou, overlapping
from mot_dinov3.policies.base import PlanInput
from mot_dinov3.structures import BoolArray, EmbedPlan, FloatArray, Frame, IntArray, TrackState

AHEAD_S = 1 / 3
"""How far ahead a policy may see the motion of tracks, in seconds."""

POOR_QUALITY = 0.4
"""Crops below this enter no gallery, and must look more like a lost identity to bring it back."""

BORDER_PX, CUT_OFF = 2.0, 0.5
"""A box this near to the border is cut off by it, and worth this share of a whole one."""

FULL_SIZE_PX = 48.0
"""Crops whose sides' geometric mean is this long or longer are not too small."""


def plan_input(
    scene: Scene,
    view: TrackView,
    associator: Associator,
    frame: Frame,
    frame_index: int,
    sharp: FloatArray,
) -> PlanInput:
    """Everything that a policy may use; a plan's track rows count the active tracks only.

    `sharp` (N,) in [0, 1] tells blurred crops from good ones.
    """
    active, away = active_rows(view), np.flatnonzero(view.state == TrackState.LOST)
    near, cost = scene.near, associator.place_cost(scene, view)
    frame_wh = known_size(frame)
    overlap, visible = crowding(scene)
    never = np.float32(np.inf)
    every = np.arange(len(scene.strong))
    return PlanInput(
        frame_index=frame_index,
        frame_wh=frame_wh,
        xyxy=scene.detections.xyxy,
        score=scene.detections.score,
        eligible=scene.eligible,
        quality=crop_quality(scene, visible * sharp, frame_wh),
        overlap=overlap,
        iou=matrix(scene, near.iou, view, active, np.float32(0)),
        cost=matrix(scene, cost, view, active, never),
        track_id=view.id[active],
        track_xyxy=view.xyxy[active],
        ahead_xyxy=view.motion.ahead(AHEAD_S)[active],
        confirmed=view.state[active] == TrackState.CONFIRMED,
        hits=view.hits[active],
        staleness=view.staleness[active],
        known=view.gallery.known[active],
        gallery_count=view.gallery.count[active],
        drift=view.gallery.drift[active],
        surprise=view.gallery.surprise[active],
        looks=view.gallery.mean[active],
        lost_id=view.id[away],
        lost_xyxy=view.xyxy[away],
        lost_known=view.gallery.known[away],
        lost_looks=view.gallery.mean[away],
        lost_s=view.lost_s[away],
        lost_cost=matrix(scene, cost, view, away, never),
        returns=associator.may_return(scene, view, every, away),
    )


def matrix(
    scene: Scene, values: FloatArray, view: TrackView, tracks: IntArray, far: np.float32
) -> FloatArray:
    """(N, L) values (K,) of the near pairs with `tracks` (L,), and `far` for all other pairs."""
    out = np.full((len(scene.strong), len(tracks)), far, np.float32)
    place = np.full(len(view), -1)
    place[tracks] = np.arange(len(tracks))
    column = place[scene.near.columns]
    mine = column >= 0
    out[scene.near.rows[mine], column[mine]] = values[mine]
    return out


def active_rows(view: TrackView) -> IntArray:
    """Rows of the tracks that a plan speaks of: all that are not lost."""
    return np.flatnonzero(view.state != TrackState.LOST)


def known_size(frame: Frame) -> tuple[int, int]:
    """Width and height of the picture, (0, 0) for an empty picture."""
    return (frame.width, frame.height) if frame.width > 1 and frame.height > 1 else (0, 0)


def crowding(scene: Scene) -> tuple[FloatArray, FloatArray]:
    """How confident detections cover each other.

    Returns:
        (N,) highest IoU of each with another one of its class, and (N,) share that is not
        covered by a nearer one, of any class: a camera above the ground sees the object whose
        lower edge is lower in the picture in front of the other.
    """
    n = len(scene.strong)
    overlap, visible = np.zeros(n, np.float32), np.ones(n, np.float32)
    rows = np.flatnonzero(scene.strong)
    boxes = scene.detections.xyxy[rows]
    i, j = overlapping(boxes, boxes)
    others = i != j
    if not others.any():
        return overlap, visible
    i, j = i[others], j[others]
    size, shared = np.maximum(area(boxes), 1e-6), iou(boxes[i], boxes[j])
    common = shared * (size[i] + size[j]) / (1 + shared)
    common[boxes[j, 3] <= boxes[i, 3]] = 0.0
    hidden = np.bincount(i, common, len(rows)).astype(np.float32) / size
    visible[rows] = np.clip(1.0 - hidden, 0.0, 1.0)
    class_id = scene.detections.class_id[rows]
    shared[class_id[i] != class_id[j]] = 0.0
    np.maximum.at(overlap, rows[i], shared)
    return overlap, visible


def crop_quality(scene: Scene, visible: FloatArray, frame_wh: tuple[int, int]) -> FloatArray:
    """(N,) in [0, 1]: confidence times size times what is `visible` (N,) and inside the frame."""
    boxes = scene.detections.xyxy
    size = np.maximum(area(boxes), 1e-6)
    inside = area(clip(boxes, *frame_wh)) / size if min(frame_wh) else 1.0
    large = np.minimum(1.0, np.sqrt(size) / FULL_SIZE_PX)
    cut_off = at_border(boxes, frame_wh) & (inside > 1 - 1e-3)
    whole = np.where(cut_off, CUT_OFF, 1.0)
    quality: FloatArray = scene.detections.score * visible * inside * large * whole
    return np.clip(quality, 0.0, 1.0).astype(np.float32, copy=False)


def at_border(xyxy: FloatArray, frame_wh: tuple[int, int]) -> BoolArray:
    """(N,) whether a box touches the border of the frame, so that part of it is not seen."""
    if not min(frame_wh):
        return np.zeros(len(xyxy), np.bool_)
    low, high = xyxy[:, :2] <= BORDER_PX, xyxy[:, 2:] >= np.array(frame_wh) - BORDER_PX
    return np.asarray((low | high).any(axis=1), np.bool_)


def gated(plan: EmbedPlan, quality: FloatArray) -> EmbedPlan:
    """The plan, whose bad crops may be compared, but are not remembered and less believed."""
    poor = np.union1d(plan.poor, np.flatnonzero(quality < POOR_QUALITY)).astype(np.int64)
    return replace(plan, poor=poor)
