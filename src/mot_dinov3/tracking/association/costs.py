"""Costs of pairs of detections and tracks; lower is better, and about 1 means no likeness."""

from __future__ import annotations

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray

TYPICAL_SPREAD = 0.5
"""Cosine distance at which a pair looks as different as two strangers usually do."""

CLEAR_LEAD = 0.25
"""Lead in cosine over the second best that makes looks fully trustworthy."""


def appearance_cost(similarity: FloatArray) -> FloatArray:
    """(N, T) cosine similarity -> cost, 1 from the distance typical of strangers on."""
    cost: FloatArray = np.clip((1.0 - similarity) / TYPICAL_SPREAD, 0.0, 1.0)
    return cost


def distinctness(similarity: FloatArray, evidence: BoolArray) -> FloatArray:
    """(N, T) in [0, 1]: how clearly the best likeness of a detection or a track leads.

    A pair whose detection looks like several tracks, or whose track looks like several
    detections, says little (adaptive weighting, Maggiolino et al. 2023).

    Args:
        similarity: (N, T) cosine.
        evidence: (N, T) whether a pair's cosine means anything.
    """
    known = np.where(evidence, similarity, -1.0)
    lead = 0.5 * (_lead(known)[:, None] + _lead(known.T)[None, :])
    out: FloatArray = np.clip(lead / CLEAR_LEAD, 0.0, 1.0).astype(np.float32)
    return out


def _lead(similarity: FloatArray) -> FloatArray:
    """(N,) how far the best of each row is ahead of its second best; everything if alone."""
    if similarity.shape[1] < 2:
        return np.ones(len(similarity), np.float32)
    two = np.partition(similarity, -2, axis=1)[:, -2:]
    out: FloatArray = two[:, 1] - two[:, 0]
    return out


def blend(
    place: FloatArray,
    similarity: FloatArray,
    evidence: BoolArray,
    weight: float | FloatArray,
) -> FloatArray:
    """(N, T) cost of place and look: look counts only for pairs that have evidence.

    Args:
        place: (N, T) cost by place alone.
        similarity: (N, T) cosine with the tracks' galleries.
        evidence: (N, T) whether the detection was embedded now and the track has a gallery.
        weight: share of the appearance term, in [0, 1], one for all or (N, T).
    """
    look = appearance_cost(similarity)
    cost: FloatArray = np.where(evidence, (1 - weight) * place + weight * look, place)
    return cost.astype(np.float32, copy=False)
