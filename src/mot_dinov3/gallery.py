"""What tracks remember of their looks: a running mean and a ring of recent embeddings."""

from __future__ import annotations

import numpy as np

from mot_dinov3.structures import BoolArray, FloatArray, IntArray

MOMENTUM = 0.8
"""Weight of the past in the running mean at each new embedding."""

DRIFT_MOMENTUM = 0.7
"""Weight of the past in a track's drift."""

RING = 8
"""Embeddings kept beside the mean, for identities whose look changes with the view."""


class Gallery:
    """Embeddings of T tracks; row i belongs to row i of the tracker's other arrays.

    Attributes:
        mean: (T, D) float32 unit rows, zero while nothing is known.
        ring: (T, RING, D) float32 unit rows, the last real embeddings.
        count: (T,) int64, real embeddings received.
        drift: (T,) float32, running mean of 1 - cosine of consecutive real embeddings, 0 before
            the second: how fast an identity changes its looks.
        surprise: (T,) float32, 1 - cosine of the last real embedding with what was remembered
            before it, 0 before the second: high where it may be somebody else's.
    """

    def __init__(self) -> None:
        self.mean: FloatArray = np.zeros((0, 0), np.float32)
        self.ring: FloatArray = np.zeros((0, RING, 0), np.float32)
        self.count: IntArray = np.zeros(0, np.int64)
        self.drift: FloatArray = np.zeros(0, np.float32)
        self.surprise: FloatArray = np.zeros(0, np.float32)

    def __len__(self) -> int:
        return len(self.count)

    @property
    def dim(self) -> int:
        """Length of an embedding; 0 before the first."""
        return int(self.mean.shape[1])

    @property
    def known(self) -> BoolArray:
        """(T,) whether a track has any embedding."""
        return self.count > 0

    def keep(self, rows: IntArray | BoolArray) -> None:
        """Drop every track that is not in `rows`."""
        self.mean, self.ring, self.count = self.mean[rows], self.ring[rows], self.count[rows]
        self.drift, self.surprise = self.drift[rows], self.surprise[rows]

    def extend(self, n: int) -> None:
        """Append `n` tracks of which nothing is known."""
        self.mean = np.concatenate((self.mean, np.zeros((n, self.dim), np.float32)))
        self.ring = np.concatenate((self.ring, np.zeros((n, RING, self.dim), np.float32)))
        self.count = np.concatenate((self.count, np.zeros(n, np.int64)))
        self.drift = np.concatenate((self.drift, np.zeros(n, np.float32)))
        self.surprise = np.concatenate((self.surprise, np.zeros(n, np.float32)))

    def add(self, rows: IntArray, vectors: FloatArray) -> None:
        """Store real embeddings: unit `vectors` (M, D) for distinct tracks `rows` (M,)."""
        if not len(rows):
            return
        if self.dim == 0:
            self._allocate(vectors.shape[1])
        self._drift(rows, vectors)
        past = np.where(self.count[rows] > 0, MOMENTUM, 0.0).astype(np.float32)[:, None]
        mean = past * self.mean[rows] + (1 - past) * vectors
        self.mean[rows] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        self.ring[rows, self.count[rows] % RING] = vectors
        self.count[rows] += 1

    def similarity(self, vectors: FloatArray) -> FloatArray:
        """(N, T) cosine of `vectors` (N, D) with every track's mean; 0 where nothing is known."""
        if self.dim == 0:
            return np.zeros((len(vectors), len(self)), np.float32)
        out: FloatArray = vectors @ self.mean.T
        return out

    def best_similarity(self, vectors: FloatArray, rows: IntArray) -> FloatArray:
        """(N, M) highest cosine of `vectors` (N, D) with anything the tracks `rows` remember."""
        if self.dim == 0 or not len(rows) or not len(vectors):
            return np.zeros((len(vectors), len(rows)), np.float32)
        ring = np.einsum("nd,mkd->nmk", vectors, self.ring[rows], optimize=True)
        filled = np.arange(RING)[None, :] < self.count[rows][:, None]
        best = np.where(filled[None], ring, -1.0).max(axis=2)
        out: FloatArray = np.maximum(best, vectors @ self.mean[rows].T)
        return out

    def _drift(self, rows: IntArray, vectors: FloatArray) -> None:
        """Learn how far `vectors` are from the last ones; the first difference counts in full."""
        count = self.count[rows]
        last = self.ring[rows, (count - 1) % RING]
        change = 1.0 - np.einsum("nd,nd->n", last, vectors)
        past = np.where(count > 1, DRIFT_MOMENTUM, 0.0)
        drift = past * self.drift[rows] + (1 - past) * change
        self.drift[rows] = np.where(count > 0, drift, 0.0)
        new = 1.0 - np.einsum("nd,nd->n", self.mean[rows], vectors)
        self.surprise[rows] = np.where(count > 0, new, 0.0)

    def _allocate(self, dim: int) -> None:
        self.mean = np.zeros((len(self), dim), np.float32)
        self.ring = np.zeros((len(self), RING, dim), np.float32)
