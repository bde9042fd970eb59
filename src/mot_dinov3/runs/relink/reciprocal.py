"""Similarity of galleries by the neighbours that they share.

k-reciprocal encoding (see `evaluation/reid/reciprocal.py`) of galleries in the place of images:
the mean of a gallery's encodings takes the place of local query expansion, whose few nearest
neighbours would be, for most, the other embeddings of the same gallery.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.evaluation.reid.reciprocal import BY_COSINE, K1, STRIP, encode
from mot_dinov3.values import FloatArray, IntArray
from mot_dinov3.values.vectors import cosine

if TYPE_CHECKING:
    from scipy.sparse import csr_array

CROWD = 3
"""A neighbourhood is at most a third of all embeddings: with few tracks, all would be neighbours of
all, and different objects would have all neighbours in common."""


def gallery_similarity(
    galleries: Sequence[FloatArray], rows: IntArray, columns: IntArray
) -> FloatArray:
    """(K,) similarity in [0, 1] of the galleries `rows` (K,) with the galleries `columns` (K,).

    One minus the paper's final distance, the plain distance in it being one minus the cosine of
    the galleries' means. All galleries take part, as neighbours, not only those that are asked for.

    Args:
        galleries: (M_i, D) float32 unit rows each; an empty one is similar to none.
        rows: (K,) int64 indices of galleries.
        columns: (K,) the same.
    """
    sizes = np.array([len(gallery) for gallery in galleries], np.int64)
    known = [gallery for gallery in galleries if len(gallery)]
    if not known or not len(rows):
        return np.zeros(len(rows), np.float32)
    vectors = np.concatenate(known)
    means = _create_mean_matrix(sizes)
    k = min(K1, len(vectors) // CROWD)
    shared = _jaccard(means @ encode(vectors, k), rows, columns)
    centre = means @ vectors
    centre /= np.maximum(np.linalg.norm(centre, axis=1, keepdims=True), 1e-12)
    plain = np.clip(cosine(centre[rows], centre[columns]), 0.0, 1.0)
    return np.asarray((1 - BY_COSINE) * shared + BY_COSINE * plain, np.float32)


def _create_mean_matrix(sizes: IntArray) -> csr_array:
    """(T, M) the matrix that takes embeddings, gallery by gallery, to each gallery's mean."""
    from scipy.sparse import csr_array

    share = np.repeat(1 / np.maximum(sizes, 1), sizes).astype(np.float32)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    return csr_array((share, np.arange(len(share)), starts), shape=(len(sizes), len(share)))


def _jaccard(features: csr_array, rows: IntArray, columns: IntArray) -> FloatArray:
    """(K,) one minus the Jaccard distance: sum of minima over sum of maxima."""
    total = features.sum(axis=1)
    out = np.zeros(len(rows), np.float32)
    for start in range(0, len(rows), STRIP):
        part = slice(start, start + STRIP)
        a, b = rows[part], columns[part]
        least = features[a].minimum(features[b]).sum(axis=1)
        out[part] = least / np.maximum(total[a] + total[b] - least, 1e-12)
    return out
