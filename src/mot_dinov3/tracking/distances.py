"""A histogram of cosine distances, fine where they are small: bounded memory for any run."""

from __future__ import annotations

import numpy as np

from mot_dinov3.values import DoubleArray, FloatArray

EDGES: DoubleArray = np.geomspace(1e-4, 2.0, 161)
"""Bounds of the bins: each is 6 % wider than the one before, as embedders differ by powers of ten
in how near all crops of people are to each other."""

MOST = 20_000
"""Distances after which all counts are halved, so that what is learned follows the run."""


class DistanceHistogram:
    """Counts distances 1 - cosine.

    Attributes:
        total: how many are counted; old ones fade.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(len(EDGES) + 1)
        self.total = 0.0

    def add(self, similarity: FloatArray) -> None:
        """Count the distances of cosines `similarity` (K,)."""
        if not len(similarity):
            return
        bins = np.searchsorted(EDGES, 1.0 - similarity.astype(np.float64))
        self._counts += np.bincount(bins, minlength=len(self._counts))
        self.total += len(similarity)
        if self.total > MOST:
            self._counts /= 2
            self.total /= 2

    def quantile(self, share: float) -> float:
        """The distance that a `share` of all stay below; something must be counted."""
        below = self._counts.cumsum()
        wanted = share * below[-1]
        k = min(int(np.searchsorted(below, wanted)), len(EDGES) - 1)
        low, high = (EDGES[k - 1] if k else 0.0), EDGES[k]
        part = (wanted - (below[k - 1] if k else 0.0)) / max(self._counts[k], 1e-9)
        return float(low + (high - low) * min(max(part, 0.0), 1.0))

    def share_below(self, distance: float) -> float:
        """The share of all that stay below `distance`; 0 where nothing is counted."""
        if not self.total:
            return 0.0
        shares = self._counts.cumsum()[:-1] / self.total
        return float(np.interp(np.log(max(distance, EDGES[0])), np.log(EDGES), shares))

    def separation(self, other: DistanceHistogram) -> float:
        """The probability that one of these is below one of the `other`: their AUC, in [0, 1]."""
        mine, theirs = self._counts / self.total, other._counts / other.total
        above = 1.0 - theirs.cumsum()
        return float((mine * (above + 0.5 * theirs)).sum())
