"""An embedder that is added by this file and one line of the table: the mean colour of a box.

`--embed-model FILE` is its file of weights.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.features.base import EmbedderKind

LINE = ("helpers.added.embedder:COLOURS", "the mean colour of a box")


class ColourEmbedder:
    """The mean of blue, green and red, to the power that the weights say."""

    built = 0
    """How many were loaded in this process."""

    device, title, dim = "cpu", "colours, cpu", 3
    whole_frame, has_own_cost, has_memory = False, True, False

    def __init__(self, weights):
        ColourEmbedder.built += 1
        self._weights = weights
        self._power = float(weights.read_text())

    @cached_property
    def fingerprint(self):
        return weights_digest(self._weights)

    def embed(self, image, xyxy):
        corners = np.clip(xyxy, 0, np.tile(image.shape[1::-1], 2)).astype(int)
        means = [
            image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)].reshape(-1, 3).mean(axis=0)
            for x1, y1, x2, y2 in corners
        ]
        vectors = (np.array(means).reshape(-1, 3) + 1) ** self._power
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def load_colours(config, place):
    return ColourEmbedder(Path(config.embed_model))


COLOURS = EmbedderKind(load_colours)
