from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mot_dinov3.values import boxes

coordinate = st.floats(-1e4, 1e4, width=32)


def array_of(rows):
    return np.array(rows, np.float32).reshape(-1, 4)


box_lists = st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), max_size=6).map(
    array_of
)


def test_iou_of_known_boxes():
    a = array_of([(0, 0, 10, 10)])
    b = array_of([(0, 0, 10, 10), (5, 0, 15, 10), (20, 20, 30, 30), (3, 3, 3, 9)])
    np.testing.assert_allclose(boxes.iou_matrix(a, b), [[1, 1 / 3, 0, 0]], atol=1e-6)


@given(box_lists, box_lists)
def test_iou_is_symmetric_and_bounded(a, b):
    iou = boxes.iou_matrix(a, b)
    assert iou.shape == (len(a), len(b))
    assert iou.dtype == np.float32
    assert ((iou >= 0) & (iou <= 1.0001)).all()
    np.testing.assert_allclose(iou, boxes.iou_matrix(b, a).T, atol=1e-5)


@given(box_lists)
def test_conversions_are_inverse(xyxy):
    np.testing.assert_allclose(
        boxes.xywh_to_xyxy(boxes.xyxy_to_xywh(xyxy)), xyxy, atol=4e-3, rtol=1e-5
    )
    np.testing.assert_allclose(
        boxes.cxcywh_to_xyxy(boxes.xyxy_to_cxcywh(xyxy)), xyxy, atol=4e-3, rtol=1e-5
    )


def test_padding_grows_every_side_by_the_ratio():
    padded = boxes.pad(array_of([(10, 10, 20, 30)]), 0.1)
    np.testing.assert_allclose(padded, [[9, 8, 21, 32]])


def test_square_padding_keeps_the_centre():
    padded = boxes.pad(array_of([(10, 10, 20, 30)]), 0.0, square=True)
    np.testing.assert_allclose(padded, [[5, 10, 25, 30]])


def test_clip_stays_in_the_frame():
    clipped = boxes.clip(array_of([(-5, -5, 700, 20), (800, 10, 900, 20)]), 640, 480)
    np.testing.assert_allclose(clipped, [[0, 0, 640, 20], [640, 10, 640, 20]])


side = st.integers(1, 30)
proper_boxes = st.lists(
    st.tuples(side, side, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])),
    max_size=9,
).map(array_of)


@pytest.mark.parametrize("dense_pairs", [0, 10**9])
@given(a=proper_boxes, b=proper_boxes)
def test_who_overlaps_is_who_has_area_in_common(dense_pairs, a, b):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes, "DENSE_PAIRS", dense_pairs)
        patch.setattr(boxes, "STRIP", 2)
        rows, columns = boxes.find_overlapping(boxes.sides(a), boxes.sides(b))
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    assert list(zip(rows, columns, strict=True)) == list(
        zip(*(high > low).all(axis=2).nonzero(), strict=True)
    )


def test_boxes_are_compared_pair_by_pair_as_in_the_matrix():
    rng = np.random.default_rng(0)
    a, b = (np.sort(rng.uniform(0, 9, (7, 2, 2)), 1).reshape(7, 4).astype(np.float32) for _ in "ab")
    assert (boxes.iou(boxes.sides(a), boxes.sides(b)) == boxes.iou_matrix(a, b).diagonal()).all()


def test_a_box_reaches_the_border_nearer_than_a_margin_of_pixels_or_of_each_side():
    rows = array_of([(2, 40, 20, 60), (40, 4, 60, 60), (40, 40, 99, 60), (40, 40, 60, 94)])
    size = (100, 100)
    assert boxes.reach_border(rows, size, 2.0).tolist() == [False, False, True, False]
    assert boxes.reach_border(rows, size, np.float32([3, 7])).tolist() == [True, True, True, True]
    assert boxes.share_of_sides((200, 50), 0.02).tolist() == [4, 1]
