"""Boxes that wander, are born and vanish: detections for a tracker, without any picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mot_dinov3.values import Detections, FloatArray, Frame

WIDTH, HEIGHT = 1920.0, 1080.0
FPS = 30.0


@dataclass(frozen=True, slots=True)
class CrowdConfig:
    """One crowd; the same configuration gives the same boxes.

    Attributes:
        people: boxes alive at any time.
        dim: length of their embeddings, 0 for none.
        life_frames: mean life of a box, after which another is born elsewhere; 0 for no end.
        missed: share of the boxes that the detector overlooks.
        seed: decides everything.
    """

    people: int = 100
    dim: int = 0
    life_frames: int = 0
    missed: float = 0.0
    seed: int = 0


class Crowd:
    """Iterates `(Frame, Detections, vectors)` for ever; vectors are (N, dim) unit rows."""

    def __init__(self, config: CrowdConfig) -> None:
        self.config = config
        self._rng = np.random.default_rng(config.seed)
        n = config.people
        self._centre = np.zeros((n, 2))
        self._size = np.zeros((n, 2))
        self._speed = np.zeros((n, 2))
        self._look = np.zeros((n, config.dim), np.float32)
        self._place_new(np.arange(n))

    def __iter__(self) -> Iterator[tuple[Frame, Detections, FloatArray]]:
        nothing, index = np.zeros((1, 1, 3), np.uint8), 0
        while True:
            seen = np.flatnonzero(self._rng.random(self.config.people) >= self.config.missed)
            yield (
                Frame(index, index / FPS, nothing),
                self._make_detections(seen),
                self._make_vectors(seen),
            )
            self._move()
            index += 1

    def _place_new(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        n, rng = len(rows), self._rng
        height = rng.uniform(60, 160, n)
        self._size[rows] = np.stack((0.4 * height, height), axis=1)
        self._centre[rows] = rng.uniform((0, 0), (WIDTH, HEIGHT), (n, 2))
        self._speed[rows] = rng.normal(0, 2.0, (n, 2))
        self._look[rows] = normalise(rng.normal(size=(n, self.config.dim)))

    def _move(self) -> None:
        self._centre += self._speed
        outside = (self._centre < 0) | (self._centre > (WIDTH, HEIGHT))
        self._speed[outside] *= -1
        self._centre.clip(0, (WIDTH, HEIGHT), out=self._centre)
        if self.config.life_frames:
            ends = self._rng.random(self.config.people) < 1 / self.config.life_frames
            self._place_new(np.flatnonzero(ends))

    def _make_detections(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Detections:
        rng, n = self._rng, len(rows)
        size = self._size[rows] * rng.normal(1, 0.02, (n, 2))
        centre = self._centre[rows] + rng.normal(0, 1.0, (n, 2))
        corners = np.concatenate((centre - size / 2, centre + size / 2), axis=1)
        score = rng.uniform(0.5, 1.0, n).astype(np.float32)
        return Detections(corners.astype(np.float32), score, np.zeros(n, np.int64))

    def _make_vectors(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
        dim = self.config.dim
        noise = self._rng.normal(0, 0.3 / max(dim, 1) ** 0.5, (len(rows), dim))
        return normalise(self._look[rows] + noise)


def normalise(vectors: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> FloatArray:
    """(N, D) float32 rows of length 1."""
    length = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.asarray(vectors / length, np.float32)
