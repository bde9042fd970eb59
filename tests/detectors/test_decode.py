"""Answers of YOLO networks as boxes."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.boxes import iou_matrix
from mot_dinov3.detectors.decode import (
    MOST_BOXES,
    NMS_IOU,
    best_boxes,
    clean_detections,
    final_boxes,
    suppress,
)


def answer(*boxes, classes=3):
    """(4 + classes, A) from (cx, cy, w, h, scores...)."""
    return np.array(boxes, np.float32).reshape(-1, 4 + classes).T


def test_a_box_counts_for_its_best_class():
    raw = answer((50, 40, 20, 10, 0.2, 0.7, 0.1), (150, 40, 20, 10, 0.3, 0.1, 0.1))
    xyxy, score, class_id = best_boxes(raw, 3, 0.25, None)
    assert xyxy.tolist() == [[40, 35, 60, 45], [140, 35, 160, 45]]
    np.testing.assert_allclose(score, [0.7, 0.3])
    assert class_id.tolist() == [1, 0]


def test_the_floor_is_exclusive_and_extra_rows_are_no_classes():
    raw = answer((50, 40, 20, 10, 0.25, 0.0, 9.0), (90, 40, 20, 10, 0.26, 0.0, 9.0))
    _, score, class_id = best_boxes(raw, 2, 0.25, None)
    np.testing.assert_allclose(score, [0.26])
    assert class_id.tolist() == [0]


def test_a_class_that_is_not_wanted_hides_nothing_and_is_not_replaced_by_the_next_best():
    raw = answer((50, 40, 20, 10, 0.5, 0.9, 0), (51, 40, 20, 10, 0.6, 0.1, 0))
    xyxy, _, class_id = best_boxes(raw, 3, 0.1, {0})
    assert class_id.tolist() == [0]
    assert xyxy.tolist() == [[41, 35, 61, 45]]
    assert len(best_boxes(raw, 3, 0.1, {2})[0]) == 0


def test_of_overlapping_boxes_the_best_stays_whatever_their_classes():
    raw = answer(
        (50, 50, 20, 20, 0.8, 0, 0), (51, 50, 20, 20, 0, 0.9, 0), (70, 50, 20, 20, 0.5, 0, 0)
    )
    _, score, class_id = best_boxes(raw, 3, 0.1, None)
    np.testing.assert_allclose(score, [0.9, 0.5])
    assert class_id.tolist() == [1, 0]


def test_suppression_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 60, (200, 2))
    xyxy = np.concatenate((corner, corner + rng.uniform(10, 40, (200, 2))), axis=1)
    xyxy, score = xyxy.astype(np.float32), rng.permutation(200).astype(np.float32) / 200 + 0.001
    iou, expected = iou_matrix(xyxy, xyxy), []
    for row in np.argsort(-score):
        if all(iou[row, other] <= NMS_IOU for other in expected):
            expected.append(int(row))
    assert suppress(xyxy, score).tolist() == expected
    assert 20 < len(expected) < 200


def test_there_is_a_most():
    corner = np.stack(np.meshgrid(np.arange(20) * 9.0, np.arange(20) * 9.0), -1).reshape(-1, 2)
    xyxy = np.concatenate((corner, corner + 5), axis=1).astype(np.float32)
    score = np.linspace(0.1, 0.9, 400).astype(np.float32)
    assert suppress(xyxy, score).tolist() == list(range(399, 399 - MOST_BOXES, -1))


def test_finished_boxes_are_only_filtered():
    rows = np.array([[0, 0, 9, 9, 0.9, 1], [0, 0, 9, 9, 0.8, 0], [0, 0, 9, 9, 0.1, 1]], np.float32)
    xyxy, score, class_id = final_boxes(rows, 0.1, {1})
    assert xyxy.tolist() == [[0, 0, 9, 9]]
    np.testing.assert_allclose(score, [0.9])
    assert class_id.tolist() == [1]
    assert len(final_boxes(rows, 0.1, None)[0]) == 2


@pytest.mark.parametrize("raw", [answer(), answer((5, 5, 2, 2, 0.01, 0, 0))])
def test_nothing_gives_empty_arrays_of_the_right_shape(raw):
    xyxy, score, class_id = best_boxes(raw, 3, 0.1, None)
    assert (xyxy.shape, score.shape, class_id.shape) == ((0, 4), (0,), (0,))
    assert class_id.dtype == np.int64


def test_boxes_that_are_no_boxes_are_dropped():
    nan = float("nan")
    xyxy = np.array(
        [[0, 0, 5, 5], [5, 0, 0, 5], [0, 5, 5, 5], [0, nan, 5, 5], [0, 0, np.inf, 5], [1, 1, 2, 2]],
        np.float32,
    )
    score = np.array([0.5, 0.5, 0.5, 0.5, 0.5, nan], np.float32)
    found = clean_detections(xyxy, score, np.zeros(6, np.int64))
    assert found.xyxy.tolist() == [[0, 0, 5, 5]]
