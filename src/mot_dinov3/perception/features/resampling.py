"""Antialiased resizing as weights: every output line is a weighted sum of a few input lines."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np

from mot_dinov3.perception.features.sparse_rows import SparseRows

Numbers = TypeVar("Numbers")
"""A numpy array or a torch tensor: the formulas below use only what both have."""

REACH = {False: 1.0, True: 2.0}
"""Input lines, to each side, that a linear and a cubic kernel weigh where nothing is shrunk."""


def kernel(distance: Numbers, cubic: bool) -> Numbers:
    """Weight of an input line at `distance` >= 0 lines from the output line's centre.

    The tent, or Keys' cubic with a = -0.5 (Keys 1981, "Cubic convolution interpolation for
    digital image processing"), which Pillow and torch's antialiased resizing also use.
    """
    near = distance.clip(0, 1)  # type: ignore[attr-defined]
    if not cubic:
        return 1 - near  # type: ignore[no-any-return]
    far = distance.clip(1, 2)  # type: ignore[attr-defined]
    inner = (1.5 * near - 2.5) * near * near + 1
    outer = ((-0.5 * far + 2.5) * far - 4) * far + 2
    return inner + outer  # type: ignore[no-any-return]


@lru_cache(maxsize=4096)
def resampling(n_in: int, n_out: int, cubic: bool) -> SparseRows:
    """(n_out, n_in) float32 weights that resize `n_in` lines to `n_out`, antialiased.

    Where lines are dropped the kernel is stretched over all of them, as in Pillow's `resize` and
    torch's `interpolate(antialias=True)`; kept are the few weights that are not zero.
    """
    scale = n_in / n_out
    stretch = max(scale, 1.0)
    centre = (np.arange(n_out) + 0.5) * scale
    first = np.maximum(np.floor(centre - REACH[cubic] * stretch + 0.5), 0).astype(np.int32)
    taps = first[:, None] + np.arange(2 * int(np.ceil(REACH[cubic] * stretch)) + 1, dtype=np.int32)
    weights = kernel(np.abs(taps + 0.5 - centre[:, None]) / stretch, cubic)
    weights[taps >= n_in] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    kept = weights != 0
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    data = weights[kept].astype(np.float32)
    return SparseRows((n_out, n_in), data, taps[kept], starts.astype(np.int32))
