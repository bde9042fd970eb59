"""How well one object was followed: overlap and distance of boxes, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from mot_dinov3.values import DoubleArray, FloatArray, check_shapes
from mot_dinov3.values.boxes import iou, sides, xyxy_to_cxcywh

OVERLAPS = np.linspace(0, 1, 21)
"""Thresholds of the success curve, as OTB has them."""
DISTANCES_PX = np.arange(51.0)
"""Thresholds of the precision curve, as OTB has them."""
SHARES = np.linspace(0, 0.5, 51)
"""Thresholds of the normalised precision curve, as TrackingNet has them."""
PRECISE_PX = 20


@dataclass(frozen=True, slots=True)
class Errors:
    """How far found boxes are from true ones, in the N frames that count.

    Attributes:
        overlap: (N,) float32 IoU.
        distance_px: (N,) float32 distance of the centres.
        share: (N,) float32 the same distance, across in widths and down in heights of the true box.
    """

    overlap: FloatArray
    distance_px: FloatArray
    share: FloatArray

    def __len__(self) -> int:
        return len(self.overlap)


@dataclass(frozen=True, slots=True)
class SingleObjectFigures:
    """How well an object was followed; all between 0 and 1, and more is better.

    Attributes:
        ao: average overlap (Huang, Zhao, Huang 2021, "GOT-10k", section 5): mean IoU.
        sr50: success rate, the share of the frames with an IoU above .5 (same place).
        sr75: the same above .75.
        auc: area under the success curve (Wu, Lim, Yang 2015, "Object Tracking Benchmark",
            section 4.1): the mean of the shares of frames with an IoU above 0, .05, ... 1.
        precision: share of the frames whose centres are at most 20 px apart (same place).
        norm_precision: area under the normalised precision curve (Mueller et al. 2018,
            "TrackingNet", section 4.2): the mean of the shares of frames whose centres are at most
            0, .01, ... .5 of the true box apart. LaSOT's tables have it too.
    """

    ao: float
    sr50: float
    sr75: float
    auc: float
    precision: float
    norm_precision: float


def find_errors(found: FloatArray, truth: FloatArray) -> Errors:
    """Compare boxes with the truth.

    The first frame does not count, as its box is given, nor do frames without a true box: as in
    GOT-10k's and OTB's tools.

    Args:
        found: (N, 4) float32 xyxy in pixels.
        truth: (N, 4) float32 xyxy in pixels; NaN where the object is absent or not annotated.

    Raises:
        ValueError: the shapes differ, or no frame counts.
    """
    check_shapes("truth", found=(found, truth.shape))
    counts = np.flatnonzero(np.isfinite(truth[1:]).all(axis=1)) + 1
    if not len(counts):
        raise ValueError("no frame behind the first has a true box")
    found, truth = found[counts], truth[counts]
    at, target = xyxy_to_cxcywh(found), xyxy_to_cxcywh(truth)
    offset = at[:, :2] - target[:, :2]
    return Errors(
        overlap=iou(sides(found), sides(truth)),
        distance_px=np.hypot(*offset.T),
        share=np.hypot(*(offset / target[:, 2:]).T),
    )


def find_figures(errors: Errors) -> SingleObjectFigures:
    """The figures of a sequence."""
    return SingleObjectFigures(
        ao=float(errors.overlap.mean()),
        sr50=float((errors.overlap > 0.5).mean()),
        sr75=float((errors.overlap > 0.75).mean()),
        auc=float(find_success(errors).mean()),
        precision=float((errors.distance_px <= PRECISE_PX).mean()),
        norm_precision=float((errors.share[:, None] <= SHARES).mean()),
    )


def find_success(errors: Errors) -> DoubleArray:
    """(21,) the success curve: shares of frames with more overlap than each of `OVERLAPS`."""
    return np.asarray((errors.overlap[:, None] > OVERLAPS).mean(axis=0), np.float64)


def find_precision(errors: Errors) -> DoubleArray:
    """(51,) the precision curve: shares of frames within each of `DISTANCES_PX`."""
    return np.asarray((errors.distance_px[:, None] <= DISTANCES_PX).mean(axis=0), np.float64)


def average_figures(figures: Sequence[SingleObjectFigures]) -> SingleObjectFigures:
    """The mean of several sequences, each counting the same however long it is."""
    names = [item.name for item in fields(SingleObjectFigures)]
    means = {name: float(np.mean([getattr(one, name) for one in figures])) for name in names}
    return SingleObjectFigures(**means)
