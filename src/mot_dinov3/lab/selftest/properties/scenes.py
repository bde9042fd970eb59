"""Invents scenes: what a policy may be shown, with numbers of every size and none of them NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.strategies import DrawFn, SearchStrategy

from mot_dinov3.scheduling.policies.base import PlanInput
from mot_dinov3.values import FloatArray

DIM = 4
MOST = 6
"""Detections, tracks and lost tracks of a scene."""

shares = st.floats(0, 1, width=32)
pixels = st.floats(-2000, 6000, width=32)


def floats(shape: tuple[int, ...], elements: SearchStrategy[float]) -> SearchStrategy[FloatArray]:
    """float32 arrays of a shape."""
    return hnp.arrays(np.float32, shape, elements=elements)


def flags(shape: tuple[int, ...]) -> SearchStrategy[Any]:
    """Boolean arrays of a shape."""
    return hnp.arrays(np.bool_, shape)


def counts(size: int, most: int = 500) -> SearchStrategy[Any]:
    """int64 arrays of numbers from 0."""
    return hnp.arrays(np.int64, size, elements=st.integers(0, most))


def box_rows(size: int) -> SearchStrategy[FloatArray]:
    """(size, 4) float32 boxes, corners in order."""
    return floats((size, 2, 2), pixels).map(lambda corners: np.sort(corners, axis=1).reshape(-1, 4))


def costs(shape: tuple[int, int]) -> SearchStrategy[FloatArray]:
    """What association charges: a share, or infinity where it refuses."""
    return floats(shape, shares | st.just(np.inf))


def unit_rows(size: int) -> FloatArray:
    """(size, DIM) float32 rows of length 1."""
    out = np.zeros((size, DIM), np.float32)
    out[np.arange(size), np.arange(size) % DIM] = 1
    return out


@st.composite
def scenes(draw: DrawFn) -> PlanInput:
    """Any scene of a few detections, active tracks and lost ones."""
    n, t, m = (draw(st.integers(0, MOST)) for _ in range(3))
    known = draw(flags((t,)))
    looks = unit_rows(t) * known[:, None]
    return PlanInput(
        frame_index=draw(st.integers(0, 1000)),
        frame_wh=draw(st.sampled_from([(0, 0), (640, 480), (1, 1)])),
        xyxy=draw(box_rows(n)),
        score=draw(floats((n,), shares)),
        eligible=draw(flags((n,))),
        quality=draw(floats((n,), shares)),
        overlap=draw(floats((n,), shares)),
        iou=draw(floats((n, t), shares)),
        cost=draw(costs((n, t))),
        track_id=np.arange(1, t + 1),
        track_xyxy=draw(box_rows(t)),
        ahead_xyxy=draw(box_rows(t)),
        confirmed=draw(flags((t,))),
        hits=draw(counts(t)),
        staleness=draw(counts(t)),
        known=known,
        gallery_count=draw(counts(t)) * known,
        drift=draw(floats((t,), st.floats(0, 2, width=32))),
        surprise=draw(floats((t,), st.floats(0, 2, width=32))),
        appearance=looks,
        lost_id=np.arange(100, 100 + m),
        lost_xyxy=draw(box_rows(m)),
        lost_known=draw(flags((m,))),
        lost_appearance=unit_rows(m),
        lost_s=draw(floats((m,), st.floats(0, 1000, width=32))),
        lost_cost=draw(costs((n, m))),
        returns=draw(flags((n, m))),
    )
