"""Textured patches that move over a still pattern, as frames."""

from __future__ import annotations

import numpy as np

from helpers.moving import texture
from mot_dinov3.values import Frame

WIDTH, HEIGHT, FPS = 320, 240, 25.0
GROUND = texture(9, WIDTH, HEIGHT) // 4 + 60


def draw(index, places, size=(WIDTH, HEIGHT), ground=None):
    """A frame with a patch in each of `places`: number of its texture -> (x1, y1, x2, y2)."""
    image = (GROUND if ground is None else ground).copy()
    for number, place in places.items():
        left, top, right, bottom = np.round(place).astype(int).tolist()
        pattern = texture(number, right - left, bottom - top)
        x, y = max(left, 0), max(top, 0)
        seen = image[y : max(bottom, 0), x : max(right, 0)]
        seen[:] = pattern[y - top :, x - left :][: seen.shape[0], : seen.shape[1]]
    return Frame(index, index / FPS, image)


def array(*rows):
    """(T, 4) float32 boxes."""
    return np.array(rows, np.float32).reshape(-1, 4)


def numbers(*ids):
    """(T,) int64 ids."""
    return np.array(ids, np.int64)
