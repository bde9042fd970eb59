"""Takes away from embeddings what they say of the camera."""

from __future__ import annotations

import numpy as np

from mot_dinov3.data.reid.crops import UNKNOWN
from mot_dinov3.values import FloatArray, IntArray

FEWEST = 8
"""Pictures of a camera whose mean says something of the camera rather than of who is in them: two
vectors less their own mean are opposites."""


def normalise_cameras(vectors: FloatArray, camera: IntArray) -> FloatArray:
    """Take away each camera's mean and bring the rest back to length 1.

    Light and colours of a camera move all its vectors into one direction. Vectors of an unknown
    camera, or of one with fewer than `FEWEST` pictures, stay as they are.

    Args:
        vectors: (N, D) float32 unit rows.
        camera: (N,) int64.

    Returns:
        (N, D) float32 unit rows.
    """
    out = np.array(vectors, np.float32)
    for number in np.unique(camera[camera != UNKNOWN]).tolist():
        rows = np.flatnonzero(camera == number)
        if len(rows) < FEWEST:
            continue
        rest = out[rows] - out[rows].mean(axis=0)
        length = np.linalg.norm(rest, axis=1, keepdims=True)
        out[rows] = np.where(length > 1e-6, rest / np.maximum(length, 1e-6), out[rows])
    return out
