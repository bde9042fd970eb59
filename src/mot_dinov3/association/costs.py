"""Costs of pairs of detections and tracks, in [0, 1]; lower is better."""

from __future__ import annotations

import numpy as np

from mot_dinov3.structures import BoolArray, FloatArray

TYPICAL_SPREAD = 0.5
"""Cosine distance at which a pair looks as different as two strangers usually do."""


def appearance_cost(similarity: FloatArray) -> FloatArray:
    """(N, T) cosine similarity -> cost, 1 from the distance typical of strangers on."""
    cost: FloatArray = np.clip((1.0 - similarity) / TYPICAL_SPREAD, 0.0, 1.0)
    return cost


def blend(
    iou: FloatArray, similarity: FloatArray, evidence: BoolArray, weight: float
) -> FloatArray:
    """(N, T) cost of place and look: look counts only for pairs that have evidence.

    Args:
        iou: (N, T) with the predicted boxes.
        similarity: (N, T) cosine with the tracks' galleries.
        evidence: (N, T) whether the detection was embedded now and the track has a gallery.
        weight: share of the appearance term, in [0, 1].
    """
    place = 1.0 - iou
    look = appearance_cost(similarity)
    cost: FloatArray = np.where(evidence, (1 - weight) * place + weight * look, place)
    return cost.astype(np.float32, copy=False)
