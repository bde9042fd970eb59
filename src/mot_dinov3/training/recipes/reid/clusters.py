"""Which pictures without labels show the same object, by the neighbours that they share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from mot_dinov3.data.reid.crops import Crops
from mot_dinov3.data.reid.tracklets import find_cannot_links
from mot_dinov3.errors import ModelError
from mot_dinov3.evaluation.reid.reciprocal import jaccard_distances
from mot_dinov3.values import BoolArray, FloatArray, IntArray

NEIGHBOURS, EXPANSION = 12, 4
"""k1 and k2 of the distances; nothing is known of how many pictures show an object."""
NEAR_NEIGHBOURS, NEAR_EXPANSION = 6, 2
"""The same among the pictures of one camera, which sees an object a few times alike."""
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


def cluster_tracklets(crops: Crops, vectors: FloatArray, eps: float) -> IntArray:
    """(N,) clusters of pictures, those of one tracklet together, from 0.

    Tracklets are joined by the mean distance of their pictures; two that one camera shows at the
    same time never are.

    Args:
        crops: the identity of each is its tracklet.
        vectors: (N, D) unit rows.
        eps: largest mean distance of tracklets of one object.

    Raises:
        ModelError: fewer than two clusters were found.
    """
    from sklearn.cluster import AgglomerativeClustering

    shown, row = np.unique(crops.identity, return_inverse=True)
    if len(shown) < 2:
        return _require_clusters(row.astype(np.int64), eps)
    share = np.zeros((len(shown), len(crops)), np.float32)
    share[row, np.arange(len(crops))] = 1
    share /= share.sum(axis=1, keepdims=True)
    distances = share @ jaccard_distances(vectors, NEIGHBOURS, EXPANSION) @ share.T
    np.fill_diagonal(distances, 0)
    for one, other in find_cannot_links(crops).tolist():
        i, j = np.searchsorted(shown, (one, other))
        distances[i, j] = distances[j, i] = APART * len(shown)
    clusters = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=eps
    ).fit_predict(distances)
    return _require_clusters(np.asarray(clusters, np.int64)[row], eps)


def _require_clusters(labels: IntArray, eps: float) -> IntArray:
    count = int(labels.max(initial=-1)) + 1
    if count < 2:
        raise ModelError(
            f"The pictures fall into {'one cluster' if count else 'no cluster'} at --eps {eps:g}: "
            "there is nothing to tell apart.",
            fix="Give more pictures, a smaller --eps for one cluster, or a larger one for none.",
        )
    return labels
