"""All identities that a track can be, and which of them it is by its appearance.

An identity is compared by the mean of its embeddings. One product of a matrix and a vector over
20,000 identities takes a few milliseconds, so that no index is needed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mot_dinov3.io.formats.identity_gallery import KnownIdentity
from mot_dinov3.values import FloatArray

DOUBT = 3.0
"""The margin grows by this share of itself over the number of embeddings of each side."""


@dataclass(frozen=True, slots=True)
class IdentityRule:
    """How alike a track must be to the identity that it is.

    Attributes:
        gate: least cosine.
        margin: how much smaller the cosine with every other identity must be.
    """

    gate: float
    margin: float

    def widen(self, *counts: int) -> float:
        """The margin where so many embeddings are known of both: few may show one bad moment."""
        return self.margin * (1 + sum(DOUBT / count for count in counts))


@dataclass(frozen=True, slots=True)
class Found:
    """The identity that a track is.

    Attributes:
        id: of the identity.
        similarity: cosine of the two.
    """

    id: int
    similarity: float


def average(vectors: FloatArray) -> FloatArray:
    """(D,) the mean of unit rows (M, D), brought to length 1; M is at least 1."""
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)


class IdentityBook:
    """The identities; row i of the matrix of means is the i-th that was added.

    Attributes:
        known: id -> identity.
    """

    def __init__(self, identities: Collection[KnownIdentity]) -> None:
        self.known: dict[int, KnownIdentity] = {}
        self._ids: list[int] = []
        self._classes: list[str] = []
        self._means: FloatArray = np.zeros((0, 0), np.float32)
        for identity in identities:
            self.add(identity)

    def add(self, identity: KnownIdentity) -> None:
        """Add an identity under an id that is new."""
        used = len(self._ids)
        if used == len(self._means):
            room = np.zeros((max(64, 2 * used), identity.vectors.shape[1]), np.float32)
            room[:used, : self._means.shape[1]] = self._means
            self._means = room
        self._means[used] = average(identity.vectors)
        self._ids.append(identity.id)
        self._classes.append(identity.class_name)
        self.known[identity.id] = identity

    def find(
        self, vectors: FloatArray, class_name: str, refused: Collection[int], rule: IdentityRule
    ) -> Found | None:
        """The identity of a class that looks like an object, None where that is in doubt.

        Args:
            vectors: (M, D) unit rows of the object.
            class_name: of the object.
            refused: ids that it cannot be.
            rule: how alike it must be.
        """
        able = [
            row
            for row, (number, name) in enumerate(zip(self._ids, self._classes, strict=True))
            if name == class_name and number not in refused
        ]
        if not able:
            return None
        alike = self._means[able] @ average(vectors)
        best = int(alike.argmax())
        similarity = float(alike[best])
        alike[best] = -1.0
        number = self._ids[able[best]]
        margin = rule.widen(len(vectors), len(self.known[number].vectors))
        if similarity < rule.gate or float(alike.max()) > similarity - margin:
            return None
        return Found(number, similarity)

    def similarity(self, number: int, mean: FloatArray) -> float:
        """Cosine of the identity `number` with a unit vector (D,)."""
        return float(average(self.known[number].vectors) @ mean)
