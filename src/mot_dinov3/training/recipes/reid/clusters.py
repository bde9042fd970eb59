"""Which pictures without labels show the same object, by the neighbours that they share."""

from __future__ import annotations

import numpy as np

from mot_dinov3.data.reid.crops import Crops
from mot_dinov3.data.reid.tracklets import find_cannot_links
from mot_dinov3.errors import ModelError
from mot_dinov3.evaluation.reid.reciprocal import jaccard_distances
from mot_dinov3.values import FloatArray, IntArray

NEIGHBOURS, EXPANSION = 20, 6
"""k1 and k2 of the distances; nothing is known of how many pictures show an object."""
CORE = 4
"""Pictures within `eps` of one another that begin a cluster."""
APART = 4.0
"""Distance of tracklets that cannot be one object: no mean of distances up to 1 makes up for it."""


def cluster_pictures(vectors: FloatArray, eps: float) -> IntArray:
    """(N,) clusters of unit rows (N, D) by density, from 0; -1 for pictures of none.

    Args:
        vectors: unit rows.
        eps: largest distance of neighbours, in [0, 1] (Ester et al. 1996, DBSCAN).

    Raises:
        ModelError: fewer than two clusters were found.
    """
    from sklearn.cluster import DBSCAN

    distances = jaccard_distances(vectors, NEIGHBOURS, EXPANSION)
    labels = DBSCAN(eps=eps, min_samples=CORE, metric="precomputed").fit_predict(distances)
    return _require_clusters(np.asarray(labels, np.int64), eps)


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
