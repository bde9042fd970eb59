"""Arithmetic on boxes: conversions, area, IoU, clipping, padding."""

from __future__ import annotations

import numpy as np

from mot_dinov3.structures import FloatArray


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
    out: FloatArray = size[:, 0] * size[:, 1]
    return out


def iou_matrix(a: FloatArray, b: FloatArray) -> FloatArray:
    """(N, M) float32 intersection over union of every box of `a` (N, 4) with every of `b` (M, 4).

    A box without area has IoU 0 with everything.
    """
    width = np.minimum(a[:, None, 2], b[None, :, 2])
    width -= np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3])
    height -= np.maximum(a[:, None, 1], b[None, :, 1])
    np.maximum(width, 0, out=width)
    np.maximum(height, 0, out=height)
    width *= height
    union = area(a)[:, None] + area(b)[None, :] - width
    np.maximum(union, np.float32(1e-9), out=union)
    out: FloatArray = np.divide(width, union, dtype=np.float32)
    return out


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
