"""What the cosines of an embedder mean: when two crops show the same object, and when not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mot_dinov3.values import FloatArray

STRANGER_DISTANCE = 0.5
"""Cosine distance at which two objects look as different as strangers usually do, where nothing is
known of the embedder."""

OLD_S = 0.7
"""A memory is old from here on: the object has turned or the light has changed since."""


@dataclass(frozen=True, slots=True)
class AppearanceScale:
    """How association reads the cosine of a crop with what is remembered of a track.

    Attributes:
        gate: least cosine at which a lost track returns; infinity where none may.
        same: cosine of most crops with their own track's memory of a moment ago.
        same_old: the same with an old memory, see `OLD_S`.
        stranger: cosine at which two objects look as different as strangers do.
        trust: in [0, 1], how far appearance is believed beside a memory of a moment ago.
        trust_old: the same beside an old memory.
    """

    gate: float
    same: float = 1.0
    same_old: float = 1.0
    stranger: float = 1.0 - STRANGER_DISTANCE
    trust: float = 1.0
    trust_old: float = 1.0

    @property
    def lets_return(self) -> bool:
        """Whether a lost track may return by its appearance."""
        return self.gate < math.inf

    @property
    def tells_apart(self) -> bool:
        """Whether appearance says anything at all."""
        return self.trust > 0 or self.trust_old > 0

    def cost(self, similarity: FloatArray, memory_s: FloatArray) -> FloatArray:
        """(K,) cost in [0, 1] of cosines `similarity` (K,): 0 for the same object, 1 for strangers.

        Args:
            similarity: (K,) cosines with the memory of tracks.
            memory_s: (K,) seconds since that memory was renewed.
        """
        same = np.where(memory_s >= OLD_S, self.same_old, self.same)
        span = np.maximum(same - self.stranger, 1e-4)
        return np.asarray(np.clip((same - similarity) / span, 0.0, 1.0), np.float32)

    def believe(self, memory_s: FloatArray) -> FloatArray:
        """(K,) in [0, 1], how far a cosine with a memory of such an age is believed."""
        return np.where(memory_s >= OLD_S, self.trust_old, self.trust).astype(np.float32)
