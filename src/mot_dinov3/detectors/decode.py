"""From what a YOLO network answers to boxes: the best class of each, without duplicates."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import cv2
import numpy as np

from mot_dinov3.structures import Detections, FloatArray, IntArray

NMS_IOU = 0.6
"""Of boxes that overlap more, whatever their classes, only the best stays.

Detectors are scored with 0.7, which leaves a second box on some objects. In tracking each of them
starts an identity of its own, and makes the true one look crowded.
"""
MOST_CANDIDATES = 30_000
MOST_BOXES = 300
"""Boxes looked at, and boxes kept, in one picture: the limits of Ultralytics' own loop."""


def best_boxes(
    answer: FloatArray, classes: int, floor: float, wanted: Collection[int] | None
) -> tuple[FloatArray, FloatArray, IntArray]:
    """The boxes of a raw YOLO answer above a confidence, best first, overlapping ones left out.

    Non-maximum suppression regardless of class, by OpenCV.

    Args:
        answer: (4 + classes + extra, A) float32; centre x, centre y, width, height in input
            pixels, then a score per class.
        classes: how many classes the network knows.
        floor: a box needs more confidence than this.
        wanted: class ids to keep, None for all; a box counts for its best class only.

    Returns:
        xyxy (N, 4) float32, score (N,) float32, class id (N,) int64.
    """
    scores = answer[4 : 4 + classes]
    rows = np.flatnonzero(scores.max(axis=0) > floor)
    class_id = scores[:, rows].argmax(axis=0).astype(np.int64)
    if wanted is not None:
        chosen = np.isin(class_id, sorted(wanted))
        rows, class_id = rows[chosen], class_id[chosen]
    score = scores[class_id, rows]
    half = answer[2:4, rows].T / np.float32(2)
    centre = answer[:2, rows].T
    xyxy = np.concatenate((centre - half, centre + half), axis=1)
    kept = suppress(xyxy, score)
    return xyxy[kept], score[kept], class_id[kept]


def suppress(xyxy: FloatArray, score: FloatArray) -> IntArray:
    """Rows of boxes that no better box overlaps by more than `NMS_IOU`, best first.

    Args:
        xyxy: (N, 4) boxes.
        score: (N,) confidences.
    """
    if not len(score):
        return np.empty(0, np.int64)
    xywh = np.concatenate((xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]), axis=1).astype(np.float64)
    nms: Any = cv2.dnn.NMSBoxes  # its stubs know lists only
    kept = nms(xywh, score, 0.0, NMS_IOU, top_k=MOST_CANDIDATES)
    return np.asarray(kept, np.int64).reshape(-1)[:MOST_BOXES]


def final_boxes(
    answer: FloatArray, floor: float, wanted: Collection[int] | None
) -> tuple[FloatArray, FloatArray, IntArray]:
    """The boxes of a network that suppresses duplicates itself: (N, 6 + extra) rows.

    A row is x1, y1, x2, y2 in input pixels, score, class id. Returns as `best_boxes`.
    """
    good = answer[:, 4] > floor
    class_id = answer[:, 5].astype(np.int64)
    if wanted is not None:
        good &= np.isin(class_id, sorted(wanted))
    rows = np.flatnonzero(good)[:MOST_BOXES]
    return answer[rows, :4], answer[rows, 4], class_id[rows]


def clean_detections(xyxy: FloatArray, score: FloatArray, class_id: IntArray) -> Detections:
    """Aligned arrays as `Detections`, without rows that are not finite or have no area."""
    good = np.isfinite(xyxy).all(axis=1) & np.isfinite(score)
    good &= (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
    return Detections(
        np.ascontiguousarray(xyxy[good], np.float32),
        score[good].astype(np.float32).clip(0, 1),
        class_id[good],
    )
