"""Arithmetic on boxes: conversions, area, IoU, clipping, padding."""

from __future__ import annotations

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray, IntArray

DENSE_PAIRS = 1 << 18
"""Up to so many pairs of boxes are all compared, which is faster than to sort the boxes first."""

STRIP = 128
"""Boxes that are compared at once where there are more."""


def xyxy_to_xywh(xyxy: FloatArray) -> FloatArray:
    """(N, 4) corners -> (N, 4) left, top, width, height."""
    out = np.array(xyxy, np.float32, copy=True).reshape(-1, 4)
    out[:, 2:] -= out[:, :2]
    return out


def xywh_to_xyxy(xywh: FloatArray) -> FloatArray:
    """(N, 4) left, top, width, height -> (N, 4) corners."""
    out = np.array(xywh, np.float32, copy=True).reshape(-1, 4)
    out[:, 2:] += out[:, :2]
    return out


def xyxy_to_cxcywh(xyxy: FloatArray) -> FloatArray:
    """(N, 4) corners -> (N, 4) centre x, centre y, width, height."""
    out = np.empty((len(xyxy), 4), np.float32)
    out[:, 2:] = xyxy[:, 2:] - xyxy[:, :2]
    out[:, :2] = (xyxy[:, :2] + xyxy[:, 2:]) * 0.5
    return out


def cxcywh_to_xyxy(cxcywh: FloatArray) -> FloatArray:
    """(N, 4) centre x, centre y, width, height -> (N, 4) corners."""
    half = cxcywh[:, 2:] * 0.5
    out = np.empty((len(cxcywh), 4), np.float32)
    out[:, :2] = cxcywh[:, :2] - half
    out[:, 2:] = cxcywh[:, :2] + half
    return out


def area(xyxy: FloatArray) -> FloatArray:
    """(N,) areas in square pixels; 0 for a box turned inside out."""
    size = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    return np.asarray(size[:, 0] * size[:, 1], np.float32)


def sides(xyxy: FloatArray) -> FloatArray:
    """(4, N) left, top, right and bottom of boxes (N, 4), each contiguous in memory.

    The functions on many pairs take boxes in this form and compute all pairs at once.
    """
    return np.ascontiguousarray(xyxy.T)


def intersection(a: FloatArray, b: FloatArray) -> FloatArray:
    """(2, ...) width and height that boxes have in common, given their sides (4, ...)."""
    common: FloatArray = np.minimum(a[2:], b[2:])
    common -= np.maximum(a[:2], b[:2])
    np.maximum(common, 0, out=common)
    return common


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """(...) float32 intersection over union of boxes given by their sides (4, ...).

    A box without area has IoU 0 with everything.
    """
    common, size, other = intersection(a, b), a[2:] - a[:2], b[2:] - b[:2]
    return over_union(common[0] * common[1], size[0] * size[1] + other[0] * other[1])


def take_boxes(box: FloatArray, rows: IntArray) -> FloatArray:
    """(4, K) the sides of the boxes `rows` (K,), out of the sides of all (4, N)."""
    return np.asarray(box.take(rows, axis=1), np.float32)


def over_union(common: FloatArray, areas: FloatArray) -> FloatArray:
    """(...) `common` area over that of the union, given the sum of both `areas`."""
    union = areas - common
    np.maximum(union, np.float32(1e-9), out=union)
    return np.asarray(np.divide(common, union, dtype=np.float32))


def iou_matrix(a: FloatArray, b: FloatArray) -> FloatArray:
    """(N, M) float32 `iou` of every box of `a` (N, 4) with every one of `b` (M, 4)."""
    return iou(sides(a)[:, :, None], sides(b)[:, None])


def find_overlapping(a: FloatArray, b: FloatArray) -> tuple[IntArray, IntArray]:
    """Which boxes of `a` and of `b`, given by their sides (4, N) and (4, M), overlap.

    Boxes must not be turned inside out, and one without area may be in a pair, too. Few of all
    pairs overlap, so everything else about pairs is computed for these only. Where there are many
    boxes, both sides are sorted from left to right, and a strip of `a` is compared only with the
    part of `b` that it reaches (sort and sweep, Baraff 1992).

    Returns:
        (K,) rows of `a` and of `b`, ordered by the first, then the second.
    """
    n, m = a.shape[1], b.shape[1]
    if n * m <= DENSE_PAIRS:
        return _crossing(a, b)
    order, other = a[0].argsort(), b[0].argsort()
    a, b = a[:, order], b[:, other]
    widest = (b[2] - b[0]).max()
    found = []
    for start in range(0, n, STRIP):
        strip = a[:, start : start + STRIP]
        low, high = b[0].searchsorted((strip[0, 0] - widest, strip[2].max()))
        i, j = _crossing(strip, b[:, low:high])
        found.append(order[start + i] * m + other[low + j])
    return split_places(np.sort(np.concatenate(found)), m)


def _crossing(a: FloatArray, b: FloatArray) -> tuple[IntArray, IntArray]:
    """As `find_overlapping`, by comparing every pair."""
    cross = a[0][:, None] < b[2]
    cross &= a[2][:, None] > b[0]
    cross &= a[1][:, None] < b[3]
    cross &= a[3][:, None] > b[1]
    return split_places(cross.ravel().nonzero()[0], b.shape[1])


def split_places(places: IntArray, n_columns: int) -> tuple[IntArray, IntArray]:
    """Rows and columns of a matrix, given places that are counted row by row.

    In a matrix of 4 columns, place 6 is row 1, column 2.
    """
    rows = places // max(n_columns, 1)
    return rows, places - rows * n_columns


def clip(xyxy: FloatArray, width: int, height: int) -> FloatArray:
    """(N, 4) boxes cut to a frame of `width` x `height` pixels."""
    out = np.array(xyxy, np.float32, copy=True).reshape(-1, 4)
    out[:, 0::2] = out[:, 0::2].clip(0, width)
    out[:, 1::2] = out[:, 1::2].clip(0, height)
    return out


def reach_border(xyxy: FloatArray, size: tuple[int, int], margin: float | FloatArray) -> BoolArray:
    """(N,) which boxes (N, 4) come nearer to the border of a picture than a margin.

    Args:
        xyxy: the boxes.
        size: width and height of the picture.
        margin: pixels at all sides, or (2,) across and down.
    """
    far = np.array(size, np.float32) - margin
    return np.asarray(
        (xyxy[:, :2] < margin).any(axis=1) | (xyxy[:, 2:] > far).any(axis=1), np.bool_
    )


def share_of_sides(size: tuple[int, int], share: float) -> FloatArray:
    """(2,) pixels across and down: a share of a picture's width and height."""
    return np.array(size, np.float32) * np.float32(share)


def pad(xyxy: FloatArray, ratio: float, *, square: bool = False) -> FloatArray:
    """(N, 4) boxes grown on every side by `ratio` of their width or height.

    With `square` the shorter side then grows to the longer one, so that a crop keeps its
    shape when a model resizes it to a square.
    """
    out = xyxy_to_cxcywh(xyxy)
    out[:, 2:] *= 1.0 + 2.0 * ratio
    if square:
        out[:, 2:] = out[:, 2:].max(axis=1, keepdims=True)
    return cxcywh_to_xyxy(out)
