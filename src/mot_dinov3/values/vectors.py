"""Arithmetic on unit vectors: likeness, and a mean that follows what is seen."""

from __future__ import annotations

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray


def cosine(a: FloatArray, b: FloatArray) -> FloatArray:
    """(M,) cosines of unit rows (M, D) with each other, row by row."""
    out: FloatArray = np.einsum("nd,nd->n", a, b)
    return out


def followed(
    mean: FloatArray, known: BoolArray, vectors: FloatArray, momentum: float
) -> FloatArray:
    """(M, D) unit rows: the means (M, D) once they have seen `vectors` (M, D).

    The past weighs `momentum` where something is `known` (M,), else nothing.
    """
    past = np.where(known, momentum, 0.0).astype(np.float32)[:, None]
    moved = past * mean + (1 - past) * vectors
    length = np.sqrt((moved * moved).sum(axis=1, keepdims=True))
    out: FloatArray = moved / np.maximum(length, 1e-12)
    return out
