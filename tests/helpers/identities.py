"""Frames in which tracks are seen and embedded as directions in a plane."""

from __future__ import annotations

import numpy as np

from helpers.fakes import boxes
from mot_dinov3.values import CONFIRMED, Embeddings, FrameResult, Tracks


def look(angle_deg):
    """A direction in a plane; two of them have the cosine of the angle between them."""
    angle = np.radians(angle_deg)
    return np.array([np.cos(angle), np.sin(angle), 0, 0], np.float32)


def frame(index, seen):
    """A frame in which tracks (id -> angle) are seen and embedded."""
    n, ids = len(seen), np.array(list(seen), np.int64)
    spots = np.tile(np.array([[0, 0, 9, 9]], np.float32), (n, 1))
    tracks = Tracks(ids, spots, np.ones(n, np.float32), np.zeros(n, np.int64),
                    np.full(n, CONFIRMED, np.int8), np.ones(n, bool), np.arange(n))  # fmt: skip
    vectors = np.stack([look(a) for a in seen.values()]) if n else np.zeros((0, 4), np.float32)
    looks = Embeddings(vectors, np.ones(n, bool), np.ones(n, bool))
    return FrameResult(index, index / 10, boxes(*[(0, 0, 9, 9)] * n), tracks, embeddings=looks)
