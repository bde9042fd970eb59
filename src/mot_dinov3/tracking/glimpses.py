"""What tracks looked like a moment ago, by evidence that every detection has in every frame.

Cheap evidence fades: a detector's features tell neighbours apart from frame to frame, hardly after
seconds and turns. So a track keeps no ring of it, only a short mean, and how much it counts is
measured while running: how far apart likenesses of the same and of others lie.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray, IntArray
from mot_dinov3.values.vectors import cosine, followed

MOMENTUM = 0.7
"""Weight of the past in a track's mean at each new glimpse."""

HALF_LIFE_S = 0.5
"""Seconds unseen after which what a track looked like counts half."""

CLEAR = 4.0
"""Distance of the two kinds of likeness, in standard deviations, from which it counts in full."""

LEARNING = 0.02
"""Weight of each frame in what is usual."""

LEAST_SPAN = 0.05
"""Likenesses nearer to each other than this are noise."""


@dataclass(slots=True)
class Likeness:
    """Running mean and variance of a cosine."""

    mean: float
    variance: float

    def learn(self, cosine: FloatArray) -> None:
        """Take in the cosines (n,) of one frame, n at least 1."""
        off = float(cosine.mean()) - self.mean
        spread = float(cosine.var()) + off * off
        self.mean += LEARNING * off
        self.variance += LEARNING * (spread - self.variance)


class Glimpses:
    """Short memories of T tracks; row i belongs to row i of the tracker's other arrays.

    Attributes:
        mean: (T, D) float32 unit rows, zero while nothing is known.
        known: (T,) bool.
        own: cosines of tracks with the detections that continued them.
        others: cosines of tracks with detections that continued others.
    """

    def __init__(self, weight: float) -> None:
        """Args: share of this evidence in the cost of a pair where it is fully reliable."""
        self.weight = weight
        self.mean: FloatArray = np.zeros((0, 0), np.float32)
        self.known: BoolArray = np.zeros(0, np.bool_)
        self.own, self.others = Likeness(0.8, 0.03), Likeness(0.0, 0.06)

    def __len__(self) -> int:
        return len(self.known)

    def keep(self, rows: BoolArray) -> None:
        """Drop every track that is not in `rows` (T,)."""
        if not len(self):  # nobody asks for this evidence
            return
        self.mean, self.known = self.mean[rows], self.known[rows]

    def follow(self, detection: IntArray, vectors: FloatArray) -> None:
        """Store what tracks look like in this frame, new ones at the end among them.

        Args:
            detection: (T,) int64 the row in which each track was seen, -1 for none.
            vectors: (N, D) of all detections, NaN where there is none.
        """
        n = len(detection) - len(self)
        self.mean = np.concatenate((self.mean, np.zeros((n, self.mean.shape[1]), np.float32)))
        self.known = np.concatenate((self.known, np.zeros(n, np.bool_)))

        rows = np.flatnonzero(detection >= 0)
        rows = rows[np.isfinite(vectors[detection[rows]]).all(axis=1)]
        if len(rows):
            self._add(rows, vectors[detection[rows]])

    def _add(self, rows: IntArray, vectors: FloatArray) -> None:
        if not self.mean.shape[1]:
            self.mean = np.zeros((len(self), vectors.shape[1]), np.float32)
        self._compare(rows, vectors)
        self.mean[rows] = followed(self.mean[rows], self.known[rows], vectors, MOMENTUM)
        self.known[rows] = True

    def _compare(self, rows: IntArray, vectors: FloatArray) -> None:
        """Learn how like themselves, and how like one other, those are who were known before."""
        old = self.known[rows]
        if old.any():
            past, now = self.mean[rows[old]], vectors[old]
            self.own.learn(cosine(past, now))
            if len(past) > 1:
                self.others.learn(cosine(past, np.roll(now, 1, axis=0)))

    @property
    def reliability(self) -> float:
        """In [0, 1]: how far the likenesses of the same and of others are apart."""
        spread = math.sqrt(0.5 * (self.own.variance + self.others.variance) + 1e-6)
        return min(1.0, max(0.0, (self.own.mean - self.others.mean) / spread / CLEAR))

    def hint(
        self,
        rows: IntArray,
        columns: IntArray,
        cost: FloatArray,
        vectors: FloatArray,
        away_s: FloatArray,
    ) -> FloatArray:
        """(K,) by how much what they look like changes the cost of pairs by place.

        A likeness that is usual for the same costs nothing, one that is usual for others costs 1;
        that is blended with `cost` at `weight`, less where it is unreliable or old.

        Args:
            rows: (K,) int64 detections.
            columns: (K,) int64 tracks, pairs with them.
            cost: (K,) float32 by place.
            vectors: (N, D) of all detections, NaN where there is none.
            away_s: (T,) seconds that tracks were unseen.
        """
        if not self.mean.shape[1] or not len(rows):
            return np.zeros(len(rows), np.float32)
        alike = cosine(vectors[rows], self.mean[columns])
        told = np.isfinite(alike) & self.known[columns]
        span = max(self.own.mean - self.others.mean, LEAST_SPAN)
        look = np.clip((self.own.mean - alike) / span, 0.0, 1.0)
        share = self.weight * self.reliability * 0.5 ** (away_s[columns] / HALF_LIFE_S)
        out: FloatArray = np.where(told, share * (look - cost), 0.0).astype(np.float32)
        return out
