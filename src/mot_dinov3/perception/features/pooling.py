"""Reads maps of a whole picture inside boxes: RoI pooling in numpy, for any number of boxes."""

from __future__ import annotations

import numpy as np

from mot_dinov3.values import FloatArray, IntArray

SAMPLES = 2
"""Points that are read along each side of a bin."""

LEAST_CELLS = 1e-3
"""Boxes flatter than this are read as if they were so high or wide."""


def pool_boxes(features: FloatArray, cells: FloatArray, bins: tuple[int, int]) -> FloatArray:
    """The mean of a map in each bin of each box, read bilinearly (RoIAlign, He et al. 2017).

    As `torchvision.ops.roi_align` with `aligned=True` and two samples a side, but for points
    outside the map: the nearest cell counts there, not zero.

    Args:
        features: (C, h, w) float32.
        cells: (N, 4) boxes in cells of the map, the borders of cells at whole numbers.
        bins: rows and columns that a box is divided into.

    Returns:
        (N, rows * columns * C) float32, bin after bin.
    """
    depth, height, width = features.shape
    rows, columns = bins
    top, y_weight = _samples(cells[:, 1], cells[:, 3], rows, height)
    left, x_weight = _samples(cells[:, 0], cells[:, 2], columns, width)
    at = top[:, :, None, :, None] * width + left[:, None, :, None, :]
    weight = y_weight[:, :, None, :, None] * x_weight[:, None, :, None, :]
    corners = at.shape[3] * at.shape[4]
    read = features.reshape(depth, -1).take(at.ravel(), axis=1).reshape(depth, -1, corners)
    mean: FloatArray = np.einsum("cbk,bk->bc", read, weight.reshape(-1, corners))
    return mean.reshape(len(cells), rows * columns * depth)


def _samples(
    low: FloatArray, high: FloatArray, bins: int, limit: int
) -> tuple[IntArray, FloatArray]:
    """Cells and weights of the points in each of (N,) spans along one axis, (N, bins, 4) both."""
    n = SAMPLES * bins
    share = (np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(n)
    span = np.maximum(high - low, np.float32(LEAST_CELLS))
    point = np.clip(low[:, None] + span[:, None] * share - np.float32(0.5), 0, limit - 1)
    first = point.astype(np.int64)
    part = point - first
    cell = np.stack((first, np.minimum(first + 1, limit - 1)), axis=-1)
    weight = np.stack((1 - part, part), axis=-1) / np.float32(SAMPLES)
    shape = (len(low), bins, 2 * SAMPLES)
    return cell.reshape(shape), weight.reshape(shape).astype(np.float32, copy=False)
