"""Lost tracks that come back where nothing predicted them, because they look like themselves."""

from __future__ import annotations

import numpy as np

from mot_dinov3.association.base import Scene, TrackView
from mot_dinov3.boxes import area
from mot_dinov3.structures import BoolArray, FloatArray, IntArray

SIZES_PER_S = 3.0
"""How far an identity may have gone while unseen, in box sizes a second."""

SIZE_RATIO = 2.0
"""How much larger or smaller a returning identity may be."""


def reachable(xyxy: FloatArray, predicted: FloatArray, lost_s: FloatArray) -> BoolArray:
    """(N, T) whether an identity lost for `lost_s` (T,) can be where a box is now.

    The reach grows with time at `SIZES_PER_S`, and the size may change by `SIZE_RATIO`.
    """
    size, past = np.sqrt(np.maximum(area(xyxy), 1.0)), np.sqrt(np.maximum(area(predicted), 1.0))
    centre = (xyxy[:, :2] + xyxy[:, 2:]) * 0.5
    expected = (predicted[:, :2] + predicted[:, 2:]) * 0.5
    far = np.linalg.norm(centre[:, None] - expected[None], axis=2)
    reach = past * (1.0 + SIZES_PER_S * lost_s)
    ratio = size[:, None] / past[None, :]
    out: BoolArray = (far <= reach[None]) & (ratio <= SIZE_RATIO) & (ratio >= 1 / SIZE_RATIO)
    return out


def may_return(scene: Scene, view: TrackView, columns: IntArray, window_s: float) -> BoolArray:
    """(N, L) whether an eligible detection may be a lost track of `columns` (L,), looks aside."""
    if not len(columns) or not len(scene.strong):
        return np.zeros((len(scene.strong), len(columns)), np.bool_)
    lost_s = view.lost_s[columns]
    allowed = reachable(scene.detections.xyxy, view.xyxy[columns], lost_s)
    allowed &= scene.detections.class_id[:, None] == view.class_id[columns][None, :]
    remembered = view.gallery.known[columns] & (lost_s <= window_s)
    out: BoolArray = allowed & remembered[None, :] & scene.eligible[:, None]
    return out
