"""Lost tracks that come back where nothing predicted them, because they look like themselves."""

from __future__ import annotations

import numpy as np

from mot_dinov3.tracking.association.base import Scene, TrackView
from mot_dinov3.values import BoolArray, FloatArray, IntArray
from mot_dinov3.values.boxes import sides

SIZES_PER_S = 3.0
"""How far an identity may have gone while unseen, in box sizes a second."""

SIZE_RATIO = 2.0
"""How much larger or smaller a returning identity may be."""


def reachable(seen: FloatArray, predicted: FloatArray, lost_s: FloatArray) -> BoolArray:
    """(...) whether an identity lost for `lost_s` (...) can be where a box is now.

    The reach grows with time at `SIZES_PER_S`, and the size may change by `SIZE_RATIO`. Boxes are
    given by their sides (4, ...), aligned or broadcast.
    """
    size, past = box_length(seen), box_length(predicted)
    off = 0.5 * (seen[:2] + seen[2:]) - 0.5 * (predicted[:2] + predicted[2:])
    off *= off
    far = np.sqrt(off[0] + off[1])
    ratio = size / past
    out: BoolArray = far <= past * (1.0 + SIZES_PER_S * lost_s)
    out &= ratio <= SIZE_RATIO
    out &= ratio >= 1 / SIZE_RATIO
    return out


def box_length(box: FloatArray) -> FloatArray:
    """(...) root of the area of boxes given by their sides (4, ...), at least a pixel."""
    size = box[2:] - box[:2]
    np.maximum(size, 0, out=size)
    length: FloatArray = np.sqrt(np.maximum(size[0] * size[1], 1.0))
    return length


def may_return(
    scene: Scene, view: TrackView, rows: IntArray, columns: IntArray, window_s: float
) -> BoolArray:
    """(n, L) whether detections `rows` (n,) may be lost tracks `columns` (L,), looks aside.

    They must be eligible, and the track remembered and lost for `window_s` seconds at most.
    """
    if not len(rows) or not len(columns):
        return np.zeros((len(rows), len(columns)), np.bool_)
    detections, lost_s = scene.detections, view.lost_s[columns]
    seen, past = sides(detections.xyxy[rows]), sides(view.xyxy[columns])
    allowed = reachable(seen[:, :, None], past[:, None], lost_s)
    allowed &= detections.class_id[rows, None] == view.class_id[columns]
    allowed &= view.gallery.known[columns] & (lost_s <= window_s)
    allowed &= scene.eligible[rows, None]
    return allowed
