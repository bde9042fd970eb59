"""Arithmetic on unit vectors: cosines, and a mean that follows new vectors."""

from __future__ import annotations

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray

GALLERY_MOMENTUM = 0.8
"""Weight of the past in the running mean of a track's embeddings, at each new one."""


def cosine(a: FloatArray, b: FloatArray) -> FloatArray:
    """(M,) cosines of unit rows (M, D) with each other, row by row."""
    return np.asarray(np.einsum("nd,nd->n", a, b), np.float32)


def update_mean(
    mean: FloatArray, known: BoolArray, vectors: FloatArray, momentum: float
) -> FloatArray:
    """Move running means towards new vectors, and bring them back to length 1.

    Args:
        mean: (M, D) unit rows, the means so far.
        known: (M,) whether there is a mean; where there is none the vector takes its place.
        vectors: (M, D) unit rows.
        momentum: weight of the past in the new mean, in [0, 1].

    Returns:
        (M, D) unit rows.
    """
    past = np.where(known, momentum, 0.0).astype(np.float32)[:, None]
    moved = past * mean + (1 - past) * vectors
    length = np.sqrt((moved * moved).sum(axis=1, keepdims=True))
    return np.asarray(moved / np.maximum(length, 1e-12), np.float32)
