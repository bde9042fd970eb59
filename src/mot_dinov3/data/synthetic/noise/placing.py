"""Where boxes lie beside their objects, and how much objects cover each other."""

from __future__ import annotations

import numpy as np

from mot_dinov3.data.synthetic.noise.base import BoxErrors
from mot_dinov3.data.synthetic.noise.normals import Timeline, link, take_quantiles
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values import DoubleArray, FloatArray, IntArray
from mot_dinov3.values.boxes import (
    area,
    cxcywh_to_xyxy,
    intersection,
    iou,
    sides,
    xyxy_to_cxcywh,
)

TRIES = 12
"""Places that are drawn for a box until one is allowed."""

FEWEST_IOU, MATCH_IOU = 0.15, 0.5
"""A box that overlaps an object by less than the first is on nothing, from the second on it is
one of the object."""


def displace(
    rng: np.random.Generator,
    xyxy: FloatArray,
    visibility: FloatArray,
    timeline: Timeline,
    errors: BoxErrors,
) -> FloatArray:
    """(N, 4) boxes of objects -> where a detector puts them.

    Args:
        rng: the draw.
        xyxy: where the objects are.
        visibility: (N,) the share of each that can be seen.
        timeline: which rows are of one object.
        errors: how far boxes are off.
    """
    normals = np.stack([timeline.draw(rng, errors.course) for _ in range(4)], axis=1)
    normals = link(normals, errors.links)
    marginals = (errors.x, errors.y, errors.width, errors.height)
    drawn = np.stack([take_quantiles(normals[:, k], marginals[k]) for k in range(4)])
    x, y, width, height = drawn * (1 + errors.hidden * (1 - visibility.astype(np.float64)))
    box = xyxy_to_cxcywh(xyxy).astype(np.float64)
    box[:, 0] += x * box[:, 2]
    box[:, 1] += y * box[:, 3]
    box[:, 2] *= np.exp(width)
    box[:, 3] *= np.exp(height)
    moved = cxcywh_to_xyxy(box.astype(np.float32))
    return np.where((drawn == 0).all(axis=0)[:, None], xyxy, moved)


def displace_on(
    rng: np.random.Generator, truth: MotTable, time_s: DoubleArray, errors: BoxErrors
) -> FloatArray:
    """(N, 4) boxes of objects -> where a detector puts them, drawn anew where that is not on them.

    Args:
        rng: the draw.
        truth: the objects.
        time_s: (N,) when.
        errors: how far boxes are off.
    """
    placed = truth.xyxy.copy()
    off = np.arange(len(truth))
    for _ in range(TRIES):
        if not len(off):
            break
        timeline = Timeline(truth.track_id[off], time_s[off])
        tried = displace(rng, truth.xyxy[off], truth.visibility[off], timeline, errors)
        good = iou(sides(tried), sides(truth.xyxy[off])) >= MATCH_IOU
        placed[off[good]] = tried[good]
        off = off[~good]
    return placed


def measure_crowding(xyxy: FloatArray, frame_index: IntArray) -> DoubleArray:
    """(N,) the largest share of each box that another box of its frame covers."""
    out = np.zeros(len(xyxy))
    size = np.maximum(area(xyxy), np.float32(1e-9))
    for rows in split_frames(frame_index):
        box = sides(xyxy[rows])
        common = intersection(box[:, :, None], box[:, None]).prod(axis=0)
        np.fill_diagonal(common, 0)
        out[rows] = common.max(axis=1) / size[rows]
    return out


def find_most_iou(
    xyxy: FloatArray, frame_index: IntArray, other: FloatArray, other_frame: IntArray
) -> DoubleArray:
    """(N,) the highest IoU of each box with those of `other` in its frame; 0 where none is."""
    out = np.zeros(len(xyxy))
    for rows in split_frames(frame_index):
        first, last = np.searchsorted(other_frame, frame_index[rows[0]] + np.arange(2))
        if last > first:
            box = iou(sides(xyxy[rows])[:, :, None], sides(other[first:last])[:, None])
            out[rows] = box.max(axis=1)
    return out


def split_frames(frame_index: IntArray) -> list[IntArray]:
    """The rows of each frame, given ascending frame numbers (N,)."""
    if not len(frame_index):
        return []
    starts = np.flatnonzero(np.append(True, np.diff(frame_index) != 0))
    return np.split(np.arange(len(frame_index)), starts[1:])
