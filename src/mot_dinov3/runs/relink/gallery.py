"""A bounded choice of an identity's embeddings that is spread evenly over its life."""

from __future__ import annotations

import numpy as np

from mot_dinov3.values import FloatArray

MOST_VECTORS = 8
"""Embeddings kept of an identity."""


class SpreadGallery:
    """Keeps every n-th embedding it is given; n doubles when there is no room left.

    So at any time the kept ones are evenly spread over all that came, however many, and the
    same embeddings leave the same gallery.
    """

    def __init__(self, most: int = MOST_VECTORS) -> None:
        """Keep up to `most` embeddings, at least 2."""
        self._most = max(2, most)
        self._kept: list[FloatArray] = []
        self._step = 1
        self._seen = 0

    def add(self, vector: FloatArray) -> None:
        """Take a unit vector (D,), or pass it over."""
        if self._seen % self._step == 0:
            if len(self._kept) == self._most:
                self._kept = self._kept[::2]
                self._step *= 2
            if self._seen % self._step == 0:
                self._kept.append(np.array(vector, np.float32))
        self._seen += 1

    @property
    def vectors(self) -> FloatArray:
        """(M, D) float32 what is kept, oldest first; (0, 0) before the first."""
        return np.stack(self._kept) if self._kept else np.zeros((0, 0), np.float32)
