"""Answers of YOLO networks as boxes."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.perception.detectors.decode import (
    MOST_BOXES,
    NMS_IOU,
    SCORING,
    clean_detections,
    decode_answer,
    decode_final,
    decode_levels,
    select_best,
    suppress,
)
from mot_dinov3.values.boxes import iou_matrix


def answer(*boxes, classes=3):
    """(4 + classes, A) from (cx, cy, w, h, scores...)."""
    return np.array(boxes, np.float32).reshape(-1, 4 + classes).T


def found(raw, classes, floor, wanted=None):
    boxes = select_best(decode_answer(raw, classes, floor), wanted)
    return boxes.xyxy, boxes.score, boxes.class_id


def chosen(rows, floor, wanted=None):
    boxes = decode_final(rows, floor, wanted)
    return boxes.xyxy, boxes.score, boxes.class_id


def test_a_box_counts_for_its_best_class():
    raw = answer((50, 40, 20, 10, 0.2, 0.7, 0.1), (150, 40, 20, 10, 0.3, 0.1, 0.1))
    xyxy, score, class_id = found(raw, 3, 0.25)
    assert xyxy.tolist() == [[40, 35, 60, 45], [140, 35, 160, 45]]
    np.testing.assert_allclose(score, [0.7, 0.3])
    assert class_id.tolist() == [1, 0]


def test_the_floor_is_exclusive_and_extra_rows_are_no_classes():
    raw = answer((50, 40, 20, 10, 0.25, 0.0, 9.0), (90, 40, 20, 10, 0.26, 0.0, 9.0))
    _, score, class_id = found(raw, 2, 0.25)
    np.testing.assert_allclose(score, [0.26])
    assert class_id.tolist() == [0]


def test_a_class_that_is_not_wanted_hides_nothing_and_is_not_replaced_by_the_next_best():
    raw = answer((50, 40, 20, 10, 0.5, 0.9, 0), (51, 40, 20, 10, 0.6, 0.1, 0))
    xyxy, _, class_id = found(raw, 3, 0.1, {0})
    assert class_id.tolist() == [0]
    assert xyxy.tolist() == [[41, 35, 61, 45]]
    assert len(found(raw, 3, 0.1, {2})[0]) == 0


def test_of_overlapping_boxes_the_best_stays_whatever_their_classes():
    raw = answer(
        (50, 50, 20, 20, 0.8, 0, 0), (51, 50, 20, 20, 0, 0.9, 0), (70, 50, 20, 20, 0.5, 0, 0)
    )
    _, score, class_id = found(raw, 3, 0.1)
    np.testing.assert_allclose(score, [0.9, 0.5])
    assert class_id.tolist() == [1, 0]


def test_a_box_can_count_for_every_class_and_be_suppressed_within_it_alone():
    near = (51, 40, 20, 10, 0.8, 0.1, 0.0)
    raw = answer((50, 40, 20, 10, 0.2, 0.7, 0.1), near, (90, 40, 20, 10, 0.0, 0.0, 0.3))
    boxes = select_best(decode_answer(raw, 3, 0.15, SCORING), None, SCORING)
    assert boxes.class_id.tolist() == [0, 1, 2]
    np.testing.assert_allclose(boxes.score, [0.8, 0.7, 0.3])  # 0.2 of class 0 lies under 0.8


def test_suppression_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 60, (200, 2))
    xyxy = np.concatenate((corner, corner + rng.uniform(10, 40, (200, 2))), axis=1)
    xyxy, score = xyxy.astype(np.float32), rng.permutation(200).astype(np.float32) / 200 + 0.001
    iou, expected = iou_matrix(xyxy, xyxy), []
    for row in np.argsort(-score):
        if all(iou[row, other] <= NMS_IOU for other in expected):
            expected.append(int(row))
    assert suppress(xyxy, score, NMS_IOU).tolist() == expected
    assert 20 < len(expected) < 200


def test_there_is_a_most():
    corner = np.stack(np.meshgrid(np.arange(20) * 9.0, np.arange(20) * 9.0), -1).reshape(-1, 2)
    xyxy = np.concatenate((corner, corner + 5), axis=1).astype(np.float32)
    score = np.linspace(0.1, 0.9, 400).astype(np.float32)
    assert suppress(xyxy, score, NMS_IOU).tolist() == list(range(399, 399 - MOST_BOXES, -1))


def test_finished_boxes_are_only_filtered():
    rows = np.array([[0, 0, 9, 9, 0.9, 1], [0, 0, 9, 9, 0.8, 0], [0, 0, 9, 9, 0.1, 1]], np.float32)
    xyxy, score, class_id = chosen(rows, 0.1, {1})
    assert xyxy.tolist() == [[0, 0, 9, 9]]
    np.testing.assert_allclose(score, [0.9])
    assert class_id.tolist() == [1]
    assert len(chosen(rows, 0.1)[0]) == 2


@pytest.mark.parametrize("raw", [answer(), answer((5, 5, 2, 2, 0.01, 0, 0))])
def test_nothing_gives_empty_arrays_of_the_right_shape(raw):
    xyxy, score, class_id = found(raw, 3, 0.1)
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


def maps(bins, classes=2, sizes=((4, 6), (2, 3))):
    """Random raw maps of two levels of a 32x48 input, of strides 8 and 16."""
    rng = np.random.default_rng(0)
    boxes = [rng.normal(0, 2, (1, 4 * bins, *size)).astype(np.float32) for size in sizes]
    scores = [rng.normal(0, 2, (1, classes, *size)).astype(np.float32) for size in sizes]
    return boxes, scores


def decoded_one_by_one(boxes, scores, bins):
    """The same as `decode_levels`, written the long way, for every cell."""
    out = []
    for box, score in zip(boxes, scores, strict=True):
        height, width = score.shape[2:]
        stride = 32 / height
        for row in range(height):
            for column in range(width):
                sides = []
                for side in range(4):
                    part = box[0, side * bins : (side + 1) * bins, row, column].astype(np.float64)
                    share = np.exp(part) / np.exp(part).sum()
                    sides.append(part[0] if bins == 1 else (share * np.arange(bins)).sum())
                x, y = column + 0.5, row + 0.5
                xyxy = np.array([x - sides[0], y - sides[1], x + sides[2], y + sides[3]]) * stride
                best = int(score[0, :, row, column].argmax())
                out.append((*xyxy, 1 / (1 + np.exp(-score[0, best, row, column])), best))
    return np.array(out)


@pytest.mark.parametrize("bins", [16, 1])
@pytest.mark.parametrize("floor", [0.0, 0.5, 0.9])
def test_raw_maps_decode_as_the_definition_says(bins, floor):
    boxes, scores = maps(bins)
    expected = decoded_one_by_one(boxes, scores, bins)
    expected = expected[expected[:, 4] > floor]
    assert len(expected) > 1
    ours = decode_levels([*boxes, *scores], 32, floor)
    np.testing.assert_allclose(ours.xyxy, expected[:, :4], atol=1e-3)
    np.testing.assert_allclose(ours.score, expected[:, 4], atol=1e-6)
    assert ours.class_id.tolist() == expected[:, 5].tolist()


def test_a_floor_of_one_leaves_nothing_and_huge_numbers_do_no_harm():
    boxes, scores = maps(16)
    boxes[0][0, 3], scores[0][0, 0, 0, 0] = 300.0, 80.0
    assert len(decode_levels([*boxes, *scores], 32, 1.0).score) == 0
    assert np.isfinite(decode_levels([*boxes, *scores], 32, 0.0).xyxy).all()
