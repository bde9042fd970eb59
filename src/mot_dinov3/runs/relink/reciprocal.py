"""Similarity of galleries by the neighbours that they share: k-reciprocal encoding.

Zhong, Zheng, Cao and Li 2017, "Re-ranking person re-identification with k-reciprocal encoding",
https://arxiv.org/abs/1701.08398; letters are the paper's. A gallery stands where the paper has an
image: the mean of its embeddings' encodings takes the place of local query expansion, whose few
nearest neighbours would be, for most, the other embeddings of the same gallery.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.values import FloatArray, IntArray
from mot_dinov3.values.vectors import cosine

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NEIGHBOURS = 20
"""k of the neighbourhoods; the paper's k1."""

CROWD = 3
"""A neighbourhood is at most a third of all embeddings: with few tracks, all would be neighbours of
all, and different objects would have all neighbours in common."""

BY_COSINE = 0.3
"""Share of the plain distance in the final one; the paper's lambda."""

ADOPT_SHARE = 2 / 3
"""Share of a neighbour's own neighbourhood that must be in common to adopt the rest of it."""

STRIP, PAIRS = 256, 8192
"""Embeddings compared with all others, and pairs compared, at once: what bounds the memory."""


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
    k = min(NEIGHBOURS, len(vectors) // CROWD)
    shared = _jaccard(means @ encode(vectors, k), rows, columns)
    centre = means @ vectors
    centre /= np.maximum(np.linalg.norm(centre, axis=1, keepdims=True), 1e-12)
    plain = np.clip(cosine(centre[rows], centre[columns]), 0.0, 1.0)
    return np.asarray((1 - BY_COSINE) * shared + BY_COSINE * plain, np.float32)


def encode(vectors: FloatArray, k: int) -> csr_array:
    """(M, M) float32 k-reciprocal features V of unit rows (M, D), sparse.

    V[p, g] is exp(-d(p, g)) where g is in R*(p, k), else 0; d is one minus the cosine. R*(p, k)
    is R(p, k) with the half-sized R(q, k/2) of each q in it that has two thirds in common with it.
    """
    from scipy.sparse import csr_array

    near = nearest(vectors, max(0, min(k, len(vectors) - 1)))
    half = reciprocal(near[:, : (near.shape[1] - 1) // 2 + 1])
    whole = reciprocal(near)
    common = (whole @ half.T).multiply(whole).tocoo()
    needed = ADOPT_SHARE * half.sum(axis=1)[common.col]
    taken = common.data >= needed - 1e-6
    places = common.row[taken], common.col[taken]
    adopted = csr_array((np.ones(taken.sum(), np.float32), places), shape=whole.shape)
    robust = (whole + adopted @ half).tocoo()
    weights = np.empty(robust.nnz, np.float32)
    for start in range(0, robust.nnz, PAIRS):
        part = slice(start, start + PAIRS)
        weights[part] = np.exp(cosine(vectors[robust.row[part]], vectors[robust.col[part]]) - 1)
    return csr_array((weights, (robust.row, robust.col)), shape=whole.shape)


def nearest(vectors: FloatArray, k: int) -> IntArray:
    """(M, k + 1) int64 the row itself, then its k nearest by cosine, nearest first: N(p, k).

    Equal ones come in order of their row, but for those that share the last place.
    """
    out = np.empty((len(vectors), k + 1), np.int64)
    for start in range(0, len(vectors), STRIP):
        strip = vectors[start : start + STRIP] @ vectors.T
        own = np.arange(len(strip))
        strip[own, start + own] = np.inf
        best = np.sort(np.argpartition(-strip, k, axis=1)[:, : k + 1], axis=1)
        order = np.argsort(-np.take_along_axis(strip, best, axis=1), axis=1, kind="stable")
        out[start : start + STRIP] = np.take_along_axis(best, order, axis=1)
    return out


def reciprocal(near: IntArray) -> csr_array:
    """(M, M) ones where two rows are each among the other's nearest (M, k + 1): R(p, k)."""
    from scipy.sparse import csr_array

    m, k = near.shape
    starts = np.arange(0, m * k + 1, k)
    chosen = csr_array((np.ones(m * k, np.float32), near.ravel(), starts), shape=(m, m))
    return chosen.multiply(chosen.T).tocsr()


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
