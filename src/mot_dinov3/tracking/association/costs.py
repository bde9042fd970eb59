"""Costs of pairs by appearance; lower is better, and 1 means as different as strangers are."""

from __future__ import annotations

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray

CLEAR_LEAD = 0.25
"""Lead in cosine over the second best that makes appearance fully trustworthy."""


def distinctness(similarity: FloatArray, evidence: BoolArray) -> FloatArray:
    """(N, T) in [0, 1]: how clearly the best similarity of a detection or a track leads.

    A pair whose detection looks like several tracks, or whose track looks like several
    detections, says little (adaptive weighting, Maggiolino et al. 2023).

    Args:
        similarity: (N, T) cosine.
        evidence: (N, T) whether a pair's cosine means anything.
    """
    known = np.where(evidence, similarity, -1.0)
    lead = 0.5 * (_measure_lead(known)[:, None] + _measure_lead(known.T)[None, :])
    return np.asarray(np.clip(lead / CLEAR_LEAD, 0.0, 1.0), np.float32)


def _measure_lead(similarity: FloatArray) -> FloatArray:
    """(N,) how far the best of each row is ahead of its second best; 1 where there is one only."""
    if similarity.shape[1] < 2:
        return np.ones(len(similarity), np.float32)
    two = np.partition(similarity, -2, axis=1)[:, -2:]
    return np.subtract(two[:, 1], two[:, 0])


def blend(
    place: FloatArray,
    appearance: FloatArray,
    evidence: BoolArray,
    weight: float | FloatArray,
) -> FloatArray:
    """(K,) cost of pairs by place and appearance, by place alone where there is no evidence.

    Args:
        place: (K,) cost by place alone.
        appearance: (K,) cost by appearance alone.
        evidence: (K,) whether the detection was embedded now and the track has a gallery.
        weight: share of the appearance term, in [0, 1], one for all or (K,).
    """
    both = (1 - weight) * place + weight * appearance
    return np.where(evidence, both, place).astype(np.float32, copy=False)
