"""Fewer points that show the same: the extremes of a long series stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.report.frames import Column

MOST_POINTS = 5000
"""Points of one trace: more could not be told apart, and would make a page slow."""


def choose_rows(values: Column, most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Rows of a series (N,) to draw: all, or the lowest and the highest value of every stretch.

    The first row, the last row and the extremes of the series are always among them. NaN counts
    as the lowest value.

    Args:
        values: the series.
        most: how many rows may be kept, at least 4.
    """
    n = len(values)
    if n <= most:
        return np.arange(n)
    known = np.where(np.isnan(values), -np.inf, values)
    edges = np.linspace(0, n, (most - 2) // 2 + 1).astype(np.int64)
    picked = [0, n - 1]
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = known[begin:end]
        picked += [begin + int(part.argmin()), begin + int(part.argmax())]
    return np.unique(np.array(picked, np.int64))
