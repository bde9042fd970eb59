"""What is remembered of the appearance of tracks: a running mean and a ring of embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray, IntArray
from mot_dinov3.values.vectors import GALLERY_MOMENTUM, cosine, update_mean

DRIFT_MOMENTUM = 0.7
"""Weight of the past in a track's drift."""

RING = 8
"""Embeddings kept beside the mean, for tracks whose appearance changes with the view."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A copy of what a gallery holds of one track; see `Gallery`.

    Attributes:
        mean: (D,) float32.
        count: embeddings received.
        drift, surprise: as there.
        ring: (RING, D) float32.
    """

    mean: FloatArray
    count: int
    drift: float
    surprise: float
    ring: FloatArray


class Gallery:
    """Embeddings of T tracks; row i belongs to row i of the tracker's other arrays.

    The rings lie in a pool that grows by doubling. A track keeps its slot there until it is
    removed, so nothing large is moved when others come and go.

    Attributes:
        mean: (T, D) float32 unit rows, zero while nothing is known.
        count: (T,) int64, real embeddings received.
        drift: (T,) float32, running mean of 1 - cosine of consecutive real embeddings, 0 before
            the second: how fast the appearance of a track changes.
        surprise: (T,) float32, 1 - cosine of the last real embedding with what was remembered
            before it, 0 before the second: high where it may show another object.
    """

    def __init__(self) -> None:
        self.mean: FloatArray = np.zeros((0, 0), np.float32)
        self.count: IntArray = np.zeros(0, np.int64)
        self.drift: FloatArray = np.zeros(0, np.float32)
        self.surprise: FloatArray = np.zeros(0, np.float32)
        self._pool: FloatArray = np.zeros((0, RING, 0), np.float32)
        self._slot: IntArray = np.zeros(0, np.int64)

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
        self.mean, self.count, self._slot = self.mean[rows], self.count[rows], self._slot[rows]
        self.drift, self.surprise = self.drift[rows], self.surprise[rows]

    def extend(self, n: int) -> None:
        """Append `n` tracks of which nothing is known."""
        self.mean = np.concatenate((self.mean, np.zeros((n, self.dim), np.float32)))
        self._slot = np.concatenate((self._slot, self._free_slots(n)))
        self.count = np.concatenate((self.count, np.zeros(n, np.int64)))
        self.drift = np.concatenate((self.drift, np.zeros(n, np.float32)))
        self.surprise = np.concatenate((self.surprise, np.zeros(n, np.float32)))

    def add(self, rows: IntArray, vectors: FloatArray) -> None:
        """Store real embeddings: unit `vectors` (M, D) for distinct tracks `rows` (M,)."""
        if not len(rows):
            return
        if self.dim == 0:
            self._allocate(vectors.shape[1])
        count, mean, slot = self.count[rows], self.mean[rows], self._slot[rows]
        last = self._pool[slot, (count - 1) % RING]
        self._learn_drift(rows, count, 1.0 - cosine(last, vectors), 1.0 - cosine(mean, vectors))
        self.mean[rows] = update_mean(mean, count > 0, vectors, GALLERY_MOMENTUM)
        self._pool[slot, count % RING] = vectors
        self.count[rows] = count + 1

    def copy(self, row: int) -> Memory:
        """A copy of what is remembered of track `row`."""
        return Memory(
            self.mean[row].copy(),
            int(self.count[row]),
            float(self.drift[row]),
            float(self.surprise[row]),
            self._pool[self._slot[row]].copy(),
        )

    def restore(self, row: int, memory: Memory) -> None:
        """Remember of track `row` what `memory` holds, and nothing else."""
        self.mean[row], self.count[row] = memory.mean, memory.count
        self.drift[row], self.surprise[row] = memory.drift, memory.surprise
        self._pool[self._slot[row]] = memory.ring

    def similarity(self, vectors: FloatArray) -> FloatArray:
        """(N, T) cosine of `vectors` (N, D) with every track's mean; 0 where nothing is known."""
        if self.dim == 0:
            return np.zeros((len(vectors), len(self)), np.float32)
        return np.asarray(vectors @ self.mean.T, np.float32)

    def best_similarity(self, vectors: FloatArray, rows: IntArray) -> FloatArray:
        """(N, M) highest cosine of `vectors` (N, D) with anything the tracks `rows` remember."""
        if self.dim == 0 or not len(rows) or not len(vectors):
            return np.zeros((len(vectors), len(rows)), np.float32)
        ring = np.einsum("nd,mkd->nmk", vectors, self._pool[self._slot[rows]], optimize=True)
        filled = np.arange(RING)[None, :] < self.count[rows][:, None]
        best = np.where(filled[None], ring, -1.0).max(axis=2)
        return np.asarray(np.maximum(best, vectors @ self.mean[rows].T), np.float32)

    def _learn_drift(
        self, rows: IntArray, count: IntArray, change: FloatArray, surprise: FloatArray
    ) -> None:
        """Learn how far new vectors are from the last ones; the first difference counts in full."""
        past = np.where(count > 1, DRIFT_MOMENTUM, 0.0)
        drift = past * self.drift[rows] + (1 - past) * change
        self.drift[rows] = np.where(count > 0, drift, 0.0)
        self.surprise[rows] = np.where(count > 0, surprise, 0.0)

    def _free_slots(self, n: int) -> IntArray:
        """(n,) slots of the pool that no track has; the pool grows where there are too few."""
        free = np.ones(len(self._pool), np.bool_)
        free[self._slot] = False
        slots = free.nonzero()[0][:n]
        missing = n - len(slots)
        if missing:
            size = len(self._pool)
            room = np.zeros((max(missing, size), RING, self.dim), np.float32)
            self._pool = np.concatenate((self._pool, room))
            slots = np.concatenate((slots, np.arange(size, size + missing)))
        return slots

    def _allocate(self, dim: int) -> None:
        self.mean = np.zeros((len(self), dim), np.float32)
        self._pool = np.zeros((len(self._pool), RING, dim), np.float32)
