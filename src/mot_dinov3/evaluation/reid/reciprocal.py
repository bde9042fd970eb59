"""Similarity of vectors by the neighbours that they share: k-reciprocal encoding.

Zhong, Zheng, Cao and Li 2017, "Re-ranking person re-identification with k-reciprocal encoding",
https://arxiv.org/abs/1701.08398; letters and numbers of equations are the paper's. The distance d
is one minus the cosine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.values import FloatArray, IntArray
from mot_dinov3.values.vectors import cosine

if TYPE_CHECKING:
    from scipy.sparse import csr_array

K1, K2 = 20, 6
"""Sizes of the neighbourhoods that are compared, and of those that are averaged."""

BY_COSINE = 0.3
"""Share of the plain distance in the final one; the paper's lambda."""

ADOPT_SHARE = 2 / 3
"""Share of a neighbour's own neighbourhood that must be in common to adopt the rest of it."""

STRIP, PAIRS = 256, 8192
"""Embeddings compared with all others, and pairs compared, at once: what bounds the memory."""


def rerank_distances(
    query: FloatArray,
    gallery: FloatArray,
    k1: int = K1,
    k2: int = K2,
    by_cosine: float = BY_COSINE,
) -> FloatArray:
    """(Q, G) float32 final distances of eq. 12, by neighbours among query and gallery together.

    Args:
        query: (Q, D) float32 unit rows.
        gallery: (G, D) the same.
        k1: neighbours that two vectors are compared by.
        k2: vectors, itself among them, whose encodings are averaged; 1 for no query expansion.
        by_cosine: share of the plain distance; the paper's lambda.
    """
    vectors = np.concatenate([query, gallery])
    shared = _measure_jaccard(_encode_expanded(vectors, k1, k2), len(query))[:, len(query) :]
    plain = 1 - query @ gallery.T
    return np.asarray((1 - by_cosine) * shared + by_cosine * plain, np.float32)


def jaccard_distances(vectors: FloatArray, k1: int = K1, k2: int = K2) -> FloatArray:
    """(N, N) float32 Jaccard distances of eq. 10, in [0, 1], of unit rows (N, D); for clustering.

    Args:
        vectors: (N, D) float32 unit rows.
        k1: neighbours that two vectors are compared by.
        k2: vectors, itself among them, whose encodings are averaged; 1 for no query expansion.
    """
    return _measure_jaccard(_encode_expanded(vectors, k1, k2), len(vectors))


def choose_neighbourhoods(pictures: int, identities: int) -> tuple[int, int]:
    """k1 and k2 for a set of so many pictures: the paper's 20 and 6 from 8 an identity on.

    The paper chooses them by data set as well, 7 and 3 where an identity has few pictures: larger
    neighbourhoods than there are pictures of one object consist of others.
    """
    each = pictures / max(identities, 1)
    return min(K1, max(1, round(2.5 * each))), min(K2, max(1, round(0.75 * each)))


def encode(vectors: FloatArray, k: int) -> csr_array:
    """(M, M) float32 k-reciprocal features V of unit rows (M, D), sparse.

    V[p, g] is exp(-d(p, g)) where g is in R*(p, k), else 0. R*(p, k) is R(p, k) with the
    half-sized R(q, k/2) of each q in it that has two thirds in common with it (eq. 5 and 7).
    """
    return _encode_near(vectors, nearest(vectors, max(0, min(k, len(vectors) - 1))))


def _encode_near(vectors: FloatArray, near: IntArray) -> csr_array:
    """The features of `encode`, `near` being the nearest (M, k + 1) of each row."""
    from scipy.sparse import csr_array

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
    chosen = _mark(near)
    return chosen.multiply(chosen.T).tocsr()


def _mark(near: IntArray) -> csr_array:
    """(M, M) ones where a column is among the nearest (M, k) of a row."""
    from scipy.sparse import csr_array

    m, k = near.shape
    starts = np.arange(0, m * k + 1, k)
    return csr_array((np.ones(m * k, np.float32), near.ravel(), starts), shape=(m, m))


def _encode_expanded(vectors: FloatArray, k1: int, k2: int) -> csr_array:
    """The features after local query expansion: the mean of those of the k2 nearest (eq. 11).

    A vector is the first of its own k2 nearest, as in the authors' code.
    """
    most = len(vectors) - 1
    near = nearest(vectors, min(max(k1, k2 - 1), most))
    features = _encode_near(vectors, near[:, : k1 + 1])
    return (_mark(near[:, :k2]) / min(k2, most + 1)) @ features


def _measure_jaccard(features: csr_array, first: int) -> FloatArray:
    """(first, M) distances of the first rows to all: 1 - sum of minima / sum of maxima (eq. 10).

    Only features that two rows share have minima, so of each row are looked at those that have
    one of its own.
    """
    total = features.sum(axis=1, dtype=np.float64)
    columns = features.T.tocsr()
    out = np.empty((first, len(total)), np.float32)
    for row in range(first):
        own = slice(*features.indptr[row : row + 2])
        others = columns[features.indices[own]]
        weights = np.repeat(features.data[own], np.diff(others.indptr))
        least = np.bincount(others.indices, np.minimum(others.data, weights), len(total))
        out[row] = 1 - least / np.maximum(total[row] + total - least, 1e-12)
    return np.maximum(out, 0, out=out)
