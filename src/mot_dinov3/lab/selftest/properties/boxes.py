"""Arithmetic on boxes, for any boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from mot_dinov3.lab.selftest.properties.base import holds_for
from mot_dinov3.values import FloatArray, boxes

MOST_PX = 1e5
ROUNDING = 1e-3

coordinates = st.floats(-MOST_PX, MOST_PX, width=32)
rows = st.tuples(coordinates, coordinates, coordinates, coordinates)


def as_array(found: Sequence[tuple[float, ...]]) -> FloatArray:
    """(N, 4) float32."""
    return np.array(found, np.float32).reshape(-1, 4)


def upright(found: FloatArray) -> FloatArray:
    """The same boxes with their corners in order."""
    low, high = np.minimum(found[:, :2], found[:, 2:]), np.maximum(found[:, :2], found[:, 2:])
    return np.concatenate((low, high), axis=1)


any_boxes = st.lists(rows, max_size=12).map(as_array)
proper_boxes = any_boxes.map(upright)
small = st.integers(0, 8).map(float)
crowded_boxes = st.lists(st.tuples(small, small, small, small), max_size=12).map(
    lambda found: upright(as_array(found))
)


@holds_for(proper_boxes | crowded_boxes, proper_boxes | crowded_boxes)
def iou_is_a_symmetric_share(a: FloatArray, b: FloatArray) -> None:
    """IoU is between 0 and 1, the same both ways, and 1 of a box with itself."""
    iou = boxes.iou_matrix(a, b)
    assert iou.shape == (len(a), len(b))
    assert iou.dtype == np.float32
    assert ((iou >= 0) & (iou <= 1 + ROUNDING)).all()
    np.testing.assert_allclose(iou, boxes.iou_matrix(b, a).T, atol=ROUNDING)
    own = boxes.iou(boxes.sides(a), boxes.sides(a))
    assert np.allclose(own[boxes.area(a) > ROUNDING], 1, atol=ROUNDING)


@holds_for(any_boxes, st.floats(0, 4, width=32), st.integers(1, 10_000), st.integers(1, 10_000))
def conversions_are_inverse(xyxy: FloatArray, ratio: float, width: int, height: int) -> None:
    """There and back is the same box; clipping stays in the frame; padding never shrinks."""
    around = MOST_PX * ROUNDING / 10
    there = boxes.xywh_to_xyxy(boxes.xyxy_to_xywh(xyxy))
    np.testing.assert_allclose(there, xyxy, atol=around)
    centred = boxes.cxcywh_to_xyxy(boxes.xyxy_to_cxcywh(xyxy))
    np.testing.assert_allclose(centred, xyxy, atol=around)
    inside = boxes.clip(xyxy, width, height)
    assert ((inside >= 0) & (inside <= (width, height, width, height))).all()
    np.testing.assert_array_equal(boxes.clip(inside, width, height), inside)
    proper = upright(xyxy)
    for square in (False, True):
        padded = boxes.pad(proper, ratio, square=square)
        assert (padded[:, :2] <= proper[:, :2] + around).all()
        assert (padded[:, 2:] >= proper[:, 2:] - around).all()


@holds_for(proper_boxes | crowded_boxes, proper_boxes | crowded_boxes)
def overlapping_pairs_are_those_with_common_area(a: FloatArray, b: FloatArray) -> None:
    """The pairs found are exactly those whose intersection has both sides."""
    rows, columns = boxes.find_overlapping(boxes.sides(a), boxes.sides(b))
    found = list(zip(rows.tolist(), columns.tolist(), strict=True))
    assert found == sorted(set(found))
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.asarray((high > low).all(axis=2), np.bool_)
    assert set(map(tuple, np.argwhere(common).tolist())) <= set(found)
    empty = np.minimum(shorter_sides(a)[:, None], shorter_sides(b)) <= 0
    assert all(common[pair] or empty[pair] for pair in found)


def shorter_sides(found: FloatArray) -> FloatArray:
    """(N,) the shorter side of each box."""
    return np.asarray((found[:, 2:] - found[:, :2]).min(axis=1), np.float32)
