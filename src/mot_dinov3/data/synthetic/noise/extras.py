"""Further boxes beside objects: duplicates, and boxes of parts or of pairs of objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.synthetic.noise.base import Extras
from mot_dinov3.data.synthetic.noise.normals import Timeline, take_quantiles
from mot_dinov3.data.synthetic.noise.placing import TRIES, displace, find_most_iou
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values import BoolArray, DoubleArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Scene:
    """What extras lie beside; (N,) and (M,) arrays are sorted by frame.

    Attributes:
        truth: the N objects.
        time_s: (N,) when.
        found: (N,) whether each was found.
        crowd: (N,) the share of each that another box covers.
        boxes: (M, 4) the boxes of the found objects.
        most_iou: no extra overlaps one of those by more.
    """

    truth: MotTable
    time_s: DoubleArray
    found: BoolArray
    crowd: DoubleArray
    boxes: FloatArray
    most_iou: float


def draw_extras(
    rng: np.random.Generator, scene: Scene, extras: Extras, overlap: tuple[float, float]
) -> tuple[IntArray, FloatArray, DoubleArray]:
    """Draw the further boxes of one kind; one for which no place is allowed is left out.

    Args:
        rng: the draw.
        scene: what they lie beside.
        extras: how often and where.
        overlap: least IoU with any object at the best, and the IoU that is too much.

    Returns:
        (K,) rows of their objects, ascending, (K, 4) boxes and (K,) confidences.
    """
    truth = scene.truth
    timeline = Timeline(truth.track_id, scene.time_s)
    line = extras.base + extras.found * scene.found + extras.crowd * scene.crowd
    there = timeline.draw(rng, extras.course) < line
    rows = np.flatnonzero(there & (truth.visibility > 0))
    score = take_quantiles(rng.standard_normal(len(rows)), extras.score)
    timeline = Timeline(truth.track_id[rows], scene.time_s[rows])
    frame, xyxy = truth.frame_index[rows], truth.xyxy[rows].copy()
    open_rows = np.ones(len(rows), bool)
    for _ in range(TRIES if len(rows) else 0):
        tried = displace(rng, truth.xyxy[rows], truth.visibility[rows], timeline, extras.errors)
        on = find_most_iou(tried, frame, truth.xyxy, truth.frame_index)
        over = find_most_iou(tried, frame, scene.boxes, truth.frame_index[scene.found])
        good = open_rows & (overlap[0] <= on) & (on < overlap[1]) & (over <= scene.most_iou)
        xyxy[good] = tried[good]
        open_rows &= ~good
    placed = ~open_rows
    return rows[placed], xyxy[placed], score[placed]
