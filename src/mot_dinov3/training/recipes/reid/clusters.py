"""Which pictures without labels show the same object, by the neighbours that they share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from mot_dinov3.data.reid.crops import Crops
from mot_dinov3.data.reid.tracklets import find_cannot_links
from mot_dinov3.errors import ModelError
from mot_dinov3.evaluation.reid.gate import suggest_gate
from mot_dinov3.evaluation.reid.reciprocal import jaccard_distances
from mot_dinov3.values import BoolArray, FloatArray, IntArray

NEIGHBOURS, EXPANSION = 12, 4
"""k1 and k2 of the distances; nothing is known of how many pictures show an object."""
NEAR_NEIGHBOURS, NEAR_EXPANSION = 6, 2
"""The same among the pictures of one camera, which sees an object a few times alike."""
SPARE = 1e-6
"""Lets equal tracklets join where the least cosine is 1."""
APART = 4.0
"""Distance of tracklets that cannot be one object: no mean of distances up to 1 makes up for it."""


def cluster_pictures(vectors: FloatArray, camera: IntArray, eps: float) -> IntArray:
    """(N,) clusters of unit rows (N, D), from 0; -1 for pictures of none.

    Of one camera, clusters are found by density. Of several, each camera's are found first, where
    pictures of one object are much alike, and then those that are each other's nearest in two
    cameras become one. Density alone, over all cameras, takes strangers in one light for one.

    Args:
        vectors: unit rows.
        camera: (N,) int64.
        eps: largest distance of neighbours, in [0, 1] (Ester et al. 1996, DBSCAN).

    Raises:
        ModelError: fewer than two clusters were found.
    """
    cameras = np.unique(camera)
    if len(cameras) == 1:
        near = jaccard_distances(vectors, NEIGHBOURS, EXPANSION)
        return _require_clusters(_find_dense(near, eps, NEIGHBOURS // 3), eps)
    labels = np.full(len(vectors), -1, np.int64)
    for number in cameras.tolist():
        rows = np.flatnonzero(camera == number)
        near = jaccard_distances(vectors[rows], NEAR_NEIGHBOURS, NEAR_EXPANSION)
        found = _find_dense(near, eps, NEAR_NEIGHBOURS // 3)
        labels[rows] = np.where(found >= 0, found + labels.max() + 1, -1)
    return _require_clusters(join_cameras(vectors, camera, labels), eps)


def _find_dense(distances: FloatArray, eps: float, core: int) -> IntArray:
    from sklearn.cluster import DBSCAN

    found = DBSCAN(eps=eps, min_samples=core, metric="precomputed").fit_predict(distances)
    return np.asarray(found, np.int64)


def join_cameras(vectors: FloatArray, camera: IntArray, labels: IntArray) -> IntArray:
    """(N,) clusters after those of different cameras that are each other's nearest became one.

    The nearest go first, and a cluster takes in one of each camera at most.

    Args:
        vectors: (N, D) unit rows without what cameras add to them.
        camera: (N,) int64.
        labels: (N,) cluster of each, all of one camera; -1 for none.
    """
    centroids = measure_centroids(vectors, labels)
    count = len(centroids)
    if not count:
        return labels
    seen_by = np.zeros(count, np.int64)
    seen_by[labels[labels >= 0]] = camera[labels >= 0]
    alike = centroids @ centroids.T
    pairs = [
        (-float(alike[one, other]), int(one), int(other))
        for a, b in combinations(np.unique(seen_by).tolist(), 2)
        for one, other in _find_mutual(alike, np.flatnonzero(seen_by == a), seen_by == b)
    ]
    group = np.arange(count)
    for _, one, other in sorted(pairs):
        first, second = group == group[one], group == group[other]
        if not set(seen_by[first].tolist()) & set(seen_by[second].tolist()):
            group[second] = group[one]
    _, group = np.unique(group, return_inverse=True)
    return np.where(labels >= 0, group[labels], -1)


def _find_mutual(alike: FloatArray, rows: IntArray, others: BoolArray) -> Iterator[tuple[int, int]]:
    columns = np.flatnonzero(others)
    part = alike[np.ix_(rows, columns)]
    best, back = part.argmax(axis=1), part.argmax(axis=0)
    for row, column in enumerate(best.tolist()):
        if back[column] == row:
            yield int(rows[row]), int(columns[column])


def measure_centroids(vectors: FloatArray, labels: IntArray) -> FloatArray:
    """(C, D) unit rows: the mean of each cluster's vectors."""
    sums = np.zeros((int(labels.max(initial=-1)) + 1, vectors.shape[1]), np.float32)
    known = labels >= 0
    np.add.at(sums, labels[known], vectors[known])
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(length, 1e-12), np.float32)


def cluster_tracklets(crops: Crops, vectors: FloatArray) -> IntArray:
    """(N,) clusters of pictures, those of one tracklet together, from 0.

    Tracklets are joined by the cosine of their mean vectors, down to where strangers begin: two
    that one camera shows at the same time are known to be two, and tell how alike strangers are.
    They are never joined.

    Args:
        crops: the identity of each is its tracklet.
        vectors: (N, D) unit rows.

    Raises:
        ModelError: there is one cluster alone.
    """
    from sklearn.cluster import AgglomerativeClustering

    shown, row = np.unique(crops.identity, return_inverse=True)
    strangers = np.searchsorted(shown, find_cannot_links(crops))
    if len(shown) < 2:
        return require_two(row.astype(np.int64), "all are of one tracklet")
    means = measure_centroids(vectors, row)
    distances = 1 - means @ means.T
    np.fill_diagonal(distances, 0)
    least = find_join_gate(vectors, row, distances[strangers[:, 0], strangers[:, 1]])
    distances[strangers[:, 0], strangers[:, 1]] = APART * len(shown)
    distances[strangers[:, 1], strangers[:, 0]] = APART * len(shown)
    clusters = AgglomerativeClustering(
        n_clusters=None,
        metric="precomputed",
        linkage="average",
        distance_threshold=1 - least + SPARE,
    ).fit_predict(distances)
    return require_two(np.asarray(clusters, np.int64)[row], f"all are alike by {least:.2f} or more")


def find_join_gate(vectors: FloatArray, row: IntArray, strange: FloatArray) -> float:
    """The cosine of mean vectors from which on two tracklets are taken for one object.

    It parts the two halves of one tracklet from strangers, a wrong join weighing more than a
    missing one; without strangers it is what nine of ten halves reach.

    Args:
        vectors: (N, D) unit rows.
        row: (N,) tracklet of each, from 0.
        strange: (S,) distances of tracklets that are known to be different.
    """
    halves = np.arange(len(row)) - np.searchsorted(row, row) >= np.bincount(row)[row] // 2
    both = measure_centroids(vectors, 2 * row + halves)
    same = (both[0::2] * both[1::2]).sum(axis=1)[np.bincount(row) > 1]
    if not len(strange) or not len(same):
        return float(np.quantile(same, 0.1)) if len(same) else 1.0
    return suggest_gate(same, 1 - strange).cosine


def _require_clusters(labels: IntArray, eps: float) -> IntArray:
    fix = "a smaller --eps" if labels.max(initial=-1) == 0 else "a larger --eps"
    return require_two(labels, f"that is with --eps {eps:g}", f", or {fix}")


def require_two(labels: IntArray, why: str, also: str = "") -> IntArray:
    """The clusters as they are.

    Raises:
        ModelError: there are fewer than two.
    """
    count = int(labels.max(initial=-1)) + 1
    if count < 2:
        raise ModelError(
            f"The pictures fall into {'one cluster' if count else 'no cluster'} ({why}): there is "
            "nothing to tell apart.",
            fix=f"Give more pictures{also}.",
        )
    return labels
