"""What tracks looked like a moment ago, by evidence that every detection has in every frame.

Cheap evidence fades: a detector's features tell neighbours apart from frame to frame, hardly after
seconds and turns. So a track keeps a short mean of it and no ring, and how much it counts is
measured while running: by how far apart the cosines of the same track and of others lie.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mot_dinov3.tracking.association.base import NearPairs
from mot_dinov3.values import BoolArray, FloatArray, IntArray
from mot_dinov3.values.vectors import cosine, update_mean

MOMENTUM = 0.7
"""Weight of the past in a track's mean at each new vector."""

HALF_LIFE_S = 0.5
"""Seconds unseen after which cheap evidence of a track counts half."""

CLEAR = 4.0
"""Distance of the two kinds of cosine, in standard deviations, from which they count in full."""

LEARNING = 0.02
"""Weight of each frame in what is usual."""

LEAST_SPAN = 0.05
"""Cosines nearer to each other than this are noise."""


@dataclass(slots=True)
class UsualCosine:
    """Running mean and variance of a cosine."""

    mean: float
    variance: float

    def learn(self, cosine: FloatArray) -> None:
        """Take in the cosines (n,) of one frame, n at least 1."""
        off = float(cosine.mean()) - self.mean
        spread = float(cosine.var()) + off * off
        self.mean += LEARNING * off
        self.variance += LEARNING * (spread - self.variance)


class CheapGallery:
    """Short memories of T tracks; row i belongs to row i of the tracker's other arrays.

    Attributes:
        weight: share of this evidence in the cost of a pair where it is fully reliable.
        mean: (T, D) float32 unit rows, zero while nothing is known.
        known: (T,) bool.
        own: cosines of tracks with the detections that continued them.
        others: cosines of tracks with detections that continued others.
    """

    def __init__(self, weight: float) -> None:
        """Begin without tracks; `weight` in [0, 1] is the share of fully reliable evidence."""
        self.weight = weight
        self.mean: FloatArray = np.zeros((0, 0), np.float32)
        self.known: BoolArray = np.zeros(0, np.bool_)
        self.own, self.others = UsualCosine(0.8, 0.03), UsualCosine(0.0, 0.06)

    def __len__(self) -> int:
        return len(self.known)

    def keep(self, rows: BoolArray) -> None:
        """Drop every track that is not in `rows` (T,)."""
        if not len(self):  # cheap evidence is not in use
            return
        self.mean, self.known = self.mean[rows], self.known[rows]

    def update(self, detection: IntArray, vectors: FloatArray) -> None:
        """Store the evidence of this frame; tracks beyond the known ones are new.

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
        self._learn(rows, vectors)
        self.mean[rows] = update_mean(self.mean[rows], self.known[rows], vectors, MOMENTUM)
        self.known[rows] = True

    def _learn(self, rows: IntArray, vectors: FloatArray) -> None:
        """Learn how similar known tracks are to themselves, and to one other track each."""
        old = self.known[rows]
        if old.any():
            past, now = self.mean[rows[old]], vectors[old]
            self.own.learn(cosine(past, now))
            if len(past) > 1:
                self.others.learn(cosine(past, np.roll(now, 1, axis=0)))

    @property
    def reliability(self) -> float:
        """In [0, 1]: how far the cosines of the same track and of others are apart."""
        spread = math.sqrt(0.5 * (self.own.variance + self.others.variance) + 1e-6)
        return min(1.0, max(0.0, (self.own.mean - self.others.mean) / spread / CLEAR))

    def rate(self, near: NearPairs, vectors: FloatArray, away_s: FloatArray) -> FloatArray:
        """By how much cheap evidence changes the costs of pairs.

        A cosine that is usual for the same track costs 0, one that is usual for others costs 1;
        that is blended with the cost by place at `weight`, less where the evidence is unreliable
        or old.

        Args:
            near: the K pairs, with their cost by place.
            vectors: (N, D) of all detections, NaN where there is none.
            away_s: (T,) seconds that tracks were unseen.

        Returns:
            (K,) float32 what is added to the costs, 0 where nothing is known.
        """
        if not self.mean.shape[1] or not len(near):
            return np.zeros(len(near), np.float32)
        similarity = cosine(vectors[near.rows], self.mean[near.columns])
        known = np.isfinite(similarity) & self.known[near.columns]
        span = max(self.own.mean - self.others.mean, LEAST_SPAN)
        cost = np.clip((self.own.mean - similarity) / span, 0.0, 1.0)
        share = self.weight * self.reliability * 0.5 ** (away_s[near.columns] / HALF_LIFE_S)
        return np.where(known, share * (cost - near.cost), 0.0).astype(np.float32)
