"""Boxes at the border of the picture, as far as the picture shows them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mot_dinov3.tracking.association.base import TrackView
from mot_dinov3.values import Detections, FloatArray
from mot_dinov3.values.boxes import clip

LEAST_PX = 4.0
"""A box of which the picture shows less is compared whole: nothing could overlap with the rest."""


def cut_at_border(
    detections: Detections, view: TrackView, size: tuple[int, int]
) -> tuple[Detections, TrackView]:
    """Cut detections and predicted boxes at the border, so that both end where the picture does.

    A detector cannot see beyond the border, but a prediction goes on behind it: what leaves the
    picture would overlap less and less with its own prediction, and end as a new track.

    Args:
        detections: of the frame.
        view: the tracks that are expected there.
        size: width and height of the picture in pixels, 0 if unknown.

    Returns:
        Both with other boxes; the same objects where all boxes lie inside.
    """
    if not all(size):
        return detections, view
    seen, expected = cut(detections.xyxy, size), cut(view.xyxy, size)
    if seen is not detections.xyxy:
        detections = Detections(seen, detections.score, detections.class_id)
    return detections, view if expected is view.xyxy else replace(view, xyxy=expected)


def cut(xyxy: FloatArray, size: tuple[int, int]) -> FloatArray:
    """(N, 4) boxes cut at a picture of some width and height; the same array if all lie inside."""
    shown = clip(xyxy, *size)
    outside = (shown != xyxy).any(axis=1)
    outside &= (shown[:, 2:] - shown[:, :2] >= LEAST_PX).all(axis=1)
    return np.where(outside[:, None], shown, xyxy) if outside.any() else xyxy
