"""Arithmetic on boxes: conversions, area, IoU, clipping, padding."""

from __future__ import annotations

import numpy as np

from mot_dinov3.structures import FloatArray, IntArray

DENSE_PAIRS = 1 << 18
"""So many pairs of boxes are looked at one by one; it is faster than to sort them first."""

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
    """(...) areas of boxes (..., 4) in square pixels; 0 for a box turned inside out."""
    size = np.maximum(xyxy[..., 2:] - xyxy[..., :2], 0)
    out: FloatArray = size[..., 0] * size[..., 1]
    return out


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Float32 intersection over union of boxes (..., 4) that are aligned or broadcast.

    A box without area has IoU 0 with everything.
    """
    width = np.minimum(a[..., 2], b[..., 2])
    width -= np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3])
    height -= np.maximum(a[..., 1], b[..., 1])
    np.maximum(width, 0, out=width)
    np.maximum(height, 0, out=height)
    width *= height
    union = area(a) + area(b) - width
    np.maximum(union, np.float32(1e-9), out=union)
    out: FloatArray = np.divide(width, union, dtype=np.float32)
    return out


def iou_matrix(a: FloatArray, b: FloatArray) -> FloatArray:
    """(N, M) float32 `iou` of every box of `a` (N, 4) with every one of `b` (M, 4)."""
    return iou(a[:, None], b[None])


def overlapping(a: FloatArray, b: FloatArray) -> tuple[IntArray, IntArray]:
    """Rows of `a` (N, 4) and of `b` (M, 4) that have area in common, ordered by row, then column.

    Boxes must not be turned inside out, and one without area may be in a pair, too. Few of all
    pairs overlap, so what is to be known of pairs is computed for these only. Where there are
    many boxes, both sides are sorted from left to right, and a strip of `a` is compared with its
    reach in `b` only (sort and sweep, Baraff 1992).
    """
    ours, theirs = np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)
    if len(a) * len(b) <= DENSE_PAIRS:
        return _crossing(ours, theirs)
    order, other = ours[0].argsort(), theirs[0].argsort()
    ours, theirs = ours[:, order], theirs[:, other]
    widest = (theirs[2] - theirs[0]).max()
    found = []
    for start in range(0, len(a), STRIP):
        strip = ours[:, start : start + STRIP]
        reach = strip[0, 0] - widest, strip[2].max()
        low, high = theirs[0].searchsorted(reach)
        i, j = _crossing(strip, theirs[:, low:high])
        found.append(order[start + i] * len(b) + other[low + j])
    pairs = np.sort(np.concatenate(found))
    rows = pairs // len(b)
    return rows, pairs - rows * len(b)


def _crossing(a: FloatArray, b: FloatArray) -> tuple[IntArray, IntArray]:
    """As `overlapping`, every pair looked at; boxes are columns, (4, N) and (4, M)."""
    cross = a[0][:, None] < b[2]
    cross &= a[2][:, None] > b[0]
    cross &= a[1][:, None] < b[3]
    cross &= a[3][:, None] > b[1]
    pairs = cross.ravel().nonzero()[0]
    rows = pairs // max(b.shape[1], 1)
    return rows, pairs - rows * b.shape[1]


def clip(xyxy: FloatArray, width: int, height: int) -> FloatArray:
    """(N, 4) boxes cut to a frame of `width` x `height` pixels."""
    out = np.array(xyxy, np.float32, copy=True).reshape(-1, 4)
    out[:, 0::2] = out[:, 0::2].clip(0, width)
    out[:, 1::2] = out[:, 1::2].clip(0, height)
    return out


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
