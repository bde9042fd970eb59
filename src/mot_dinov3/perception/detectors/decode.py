"""Decodes the answer of a YOLO network into boxes: the best class of each, without duplicates."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from mot_dinov3.values import BoolArray, Detections, DoubleArray, FloatArray, IntArray

NMS_IOU = 0.6
"""Of boxes that overlap more, whatever their classes, only the best stays.

Detectors are scored with 0.7, which leaves a second box on some objects. In tracking each of them
starts an identity of its own, and makes the true one look crowded.
"""
APART_PX = 10_000.0
"""Between the boxes of two classes that do not suppress each other; no input is as large."""
MOST_CANDIDATES = 30_000
MOST_BOXES = 300
"""Boxes looked at, and boxes kept, in one picture: the limits of Ultralytics' own loop."""


@dataclass(frozen=True, slots=True)
class BoxRule:
    """What counts as a box of an answer.

    Attributes:
        iou: of boxes that overlap more, only the best stays.
        every_class: a box counts for each class above the confidence, and is suppressed by those
            of its class alone. Otherwise it counts for its best class, and any box suppresses it.
    """

    iou: float
    every_class: bool


TRACKING, SCORING = BoxRule(NMS_IOU, every_class=False), BoxRule(0.7, every_class=True)
"""How boxes are tracked, and how the precision of a YOLO is usually measured."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes in input pixels, row by row.

    Attributes:
        xyxy: (N, 4) float32.
        score: (N,) float32.
        class_id: (N,) int64.
    """

    xyxy: FloatArray
    score: FloatArray
    class_id: IntArray

    def __getitem__(self, rows: IntArray | BoolArray) -> Boxes:
        return Boxes(self.xyxy[rows], self.score[rows], self.class_id[rows])


def decode_answer(
    answer: FloatArray, classes: int, floor: float, rule: BoxRule = TRACKING
) -> Boxes:
    """Select the candidates of a decoded YOLO answer above a confidence.

    Args:
        answer: (4 + classes + extra, A) float32; centre x, centre y, width, height in input
            pixels, then a score per class.
        classes: how many classes the network knows.
        floor: a box needs more confidence than this.
        rule: for which classes a box counts.
    """
    scores = answer[4 : 4 + classes]
    rows, class_id = _find_confident(scores, floor, rule)
    half = answer[2:4, rows].T / np.float32(2)
    centre = answer[:2, rows].T
    xyxy = np.concatenate((centre - half, centre + half), axis=1)
    return Boxes(xyxy, scores[class_id, rows], class_id)


def _find_confident(scores: FloatArray, floor: float, rule: BoxRule) -> tuple[IntArray, IntArray]:
    """Columns of (classes, A) scores above `floor`, and for which class each of them counts."""
    if rule.every_class:
        rows, class_id = np.nonzero(scores.T > floor)  # noqa: SIM300 - no constant
        return rows, class_id
    rows = np.flatnonzero(scores.max(axis=0) > floor)
    return rows, scores[:, rows].argmax(axis=0)


def decode_levels(
    levels: Sequence[FloatArray], height: int, floor: float, rule: BoxRule = TRACKING
) -> Boxes:
    """Decode the candidates of a YOLO head's raw maps above a confidence, in float32.

    A side's distance from the cell's centre is the mean of a distribution over whole strides
    (Li et al., "Generalized Focal Loss", 2020), or one number where the head has no bins.

    Args:
        levels: the box maps (1, 4 bins, h, w) of all levels, then their class maps
            (1, classes, h, w) before the sigmoid.
        height: of the network's input in pixels.
        floor: a box needs more confidence than this.
        rule: for which classes a box counts.
    """
    count = len(levels) // 2
    parts = [
        _decode_level(boxes[0], scores[0], height / boxes.shape[2], floor, rule)
        for boxes, scores in zip(levels[:count], levels[count:], strict=True)
    ]
    return Boxes(
        np.concatenate([part.xyxy for part in parts]),
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.class_id for part in parts]),
    )


def _decode_level(
    boxes: FloatArray, scores: FloatArray, stride: float, floor: float, rule: BoxRule
) -> Boxes:
    columns = boxes.shape[2]
    flat = scores.reshape(len(scores), -1)
    rows, class_id = _find_confident(flat, logit(floor), rule)
    bins = boxes.reshape(4, len(boxes) // 4, -1)[:, :, rows]
    centre = np.stack((rows % columns, rows // columns)).astype(np.float32) + np.float32(0.5)
    corners = _decode_sides(bins, centre) * np.float32(stride)
    return Boxes(corners.T, _probability(flat[class_id, rows]), class_id)


def decode_candidates(table: FloatArray) -> Boxes:
    """Decode candidates that were selected where the network runs, as `decode_levels` would.

    Args:
        table: (N, 6 + 4 bins) float32 a candidate: number of the picture in its batch; column and
            row of the cell's centre, in cells; pixels of a cell; class; score before the sigmoid;
            the bins of all four sides.
    """
    bins = table[:, 6:].T.reshape(4, (table.shape[1] - 6) // 4, len(table))
    corners = _decode_sides(bins, table[:, 1:3].T) * table[:, 3]
    return Boxes(corners.T, _probability(table[:, 5]), table[:, 4].astype(np.int64))


def _decode_sides(bins: FloatArray, centre: FloatArray) -> FloatArray:
    """(4, N) corners in cells from (4, bins, N) distributions of the sides and (2, N) centres."""
    if bins.shape[1] > 1:
        share = np.exp(bins - bins.max(axis=1, keepdims=True))
        places = np.arange(bins.shape[1], dtype=np.float32)[None, :, None]
        sides = (share * places).sum(axis=1) / share.sum(axis=1)
    else:
        sides = bins[:, 0]
    return np.concatenate((centre - sides[:2], centre + sides[2:]))


def _probability(value: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-value)), np.float32)


def logit(probability: float) -> float:
    """What the sigmoid turns into a probability; infinite where that is 0 or 1."""
    if not 0 < probability < 1:
        return -math.inf if probability <= 0 else math.inf
    return math.log(probability / (1 - probability))


def select_best(found: Boxes, wanted: Collection[int] | None, rule: BoxRule = TRACKING) -> Boxes:
    """Select candidates of wanted classes, best first, without those that a better one overlaps.

    Non-maximum suppression by OpenCV.

    Args:
        found: candidates.
        wanted: class ids to keep, None for all.
        rule: how much they may overlap, and whether classes suppress each other.
    """
    if wanted is not None:
        found = found[np.isin(found.class_id, sorted(wanted))]
    apart = found.class_id * APART_PX if rule.every_class else np.zeros(len(found.score))
    return found[suppress(found.xyxy + apart[:, None], found.score, rule.iou)]


def suppress(xyxy: FloatArray | DoubleArray, score: FloatArray, iou: float) -> IntArray:
    """Find the boxes that no better box overlaps by more; rows, best first.

    Args:
        xyxy: (N, 4) boxes.
        score: (N,) confidences.
        iou: the most that two boxes may overlap.
    """
    if not len(score):
        return np.empty(0, np.int64)
    xywh = np.concatenate((xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]), axis=1).astype(np.float64)
    nms: Any = cv2.dnn.NMSBoxes  # its stubs know lists only
    kept = nms(xywh, score, 0.0, iou, top_k=MOST_CANDIDATES)
    return np.asarray(kept, np.int64).reshape(-1)[:MOST_BOXES]


def decode_final(answer: FloatArray, floor: float, wanted: Collection[int] | None) -> Boxes:
    """Select the boxes of a network that suppresses duplicates itself.

    Args:
        answer: (N, 6 + extra) float32: x1, y1, x2, y2 in input pixels, score, class id.
        floor: a box needs more confidence than this.
        wanted: class ids to keep, None for all.
    """
    good = answer[:, 4] > floor
    class_id = answer[:, 5].astype(np.int64)
    if wanted is not None:
        good &= np.isin(class_id, sorted(wanted))
    return Boxes(answer[:, :4], answer[:, 4], class_id)[np.flatnonzero(good)[:MOST_BOXES]]


def clean_detections(xyxy: FloatArray, score: FloatArray, class_id: IntArray) -> Detections:
    """Aligned arrays as `Detections`, without rows that are not finite or have no area."""
    good = np.isfinite(xyxy).all(axis=1) & np.isfinite(score)
    good &= (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
    return Detections(
        np.ascontiguousarray(xyxy[good], np.float32),
        score[good].astype(np.float32).clip(0, 1),
        class_id[good],
    )
