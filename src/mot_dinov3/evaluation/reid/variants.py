"""One search of a gallery, with and without what is done to its vectors and distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from mot_dinov3.data.reid.market import SearchSet
from mot_dinov3.evaluation.reid.cameras import normalise_cameras
from mot_dinov3.evaluation.reid.gate import Gate, suggest_gate
from mot_dinov3.evaluation.reid.ranking import Ranking, cosine_distances, find_pairs, rank
from mot_dinov3.evaluation.reid.reciprocal import choose_neighbourhoods, rerank_distances
from mot_dinov3.values import FloatArray, check_shapes

FLIP, CAMERAS, RERANK = "flip", "camera-norm", "jaccard"
PLAIN = "euclidean"


@dataclass(frozen=True, slots=True)
class EmbeddedSet:
    """A search set with its vectors, query first and then gallery.

    Attributes:
        pictures: N of them in all.
        vectors: (N, D) float32 unit rows.
        mirrored: (N, D) those of the mirror images; None where they were not asked for.
    """

    pictures: SearchSet
    vectors: FloatArray
    mirrored: FloatArray | None = None

    def __post_init__(self) -> None:
        n = len(self.pictures.query) + len(self.pictures.gallery)
        check_shapes("EmbeddedSet", vectors=(self.vectors, (n, self.vectors.shape[1])))

    @property
    def neighbourhoods(self) -> tuple[int, int]:
        """k1 and k2 of the re-ranking."""
        query, gallery = self.pictures.query, self.pictures.gallery
        shown = len(np.union1d(query.identity, gallery.identity))
        return choose_neighbourhoods(len(self.vectors), shown)


def rank_variants(embedded: EmbeddedSet, switches: Sequence[str]) -> dict[str, Ranking]:
    """Name -> figures of the plain search, of each switch alone, and of all of them together.

    Args:
        embedded: has mirrored vectors where `FLIP` is a switch.
        switches: some of `FLIP`, `CAMERAS` and `RERANK`.

    Raises:
        InputError: there is nothing to find.
    """
    pairs = find_pairs(embedded.pictures.query, embedded.pictures.gallery)
    chosen = dict.fromkeys(chain([()], ((switch,) for switch in switches), [tuple(switches)]))
    return {
        " + ".join(some) or PLAIN: rank(_measure_distances(embedded, some), pairs)
        for some in chosen
    }


def suggest_gate_for(embedded: EmbeddedSet) -> Gate:
    """The gate for the plain vectors, by pairs that different cameras saw.

    Raises:
        InputError: there are no pairs of one kind.
    """
    count = len(embedded.pictures.query)
    cosines = embedded.vectors[:count] @ embedded.vectors[count:].T
    pairs = find_pairs(embedded.pictures.query, embedded.pictures.gallery)
    return suggest_gate(cosines[pairs.matches], cosines[pairs.strangers])


def _measure_distances(embedded: EmbeddedSet, switches: Sequence[str]) -> FloatArray:
    vectors, pictures = embedded.vectors, embedded.pictures
    if FLIP in switches and embedded.mirrored is not None:
        both = vectors + embedded.mirrored
        vectors = both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-12)
    if CAMERAS in switches:
        camera = np.concatenate((pictures.query.camera, pictures.gallery.camera))
        vectors = normalise_cameras(vectors, camera)
    query, gallery = np.split(vectors, [len(pictures.query)])
    if RERANK in switches:
        k1, k2 = embedded.neighbourhoods
        return rerank_distances(query, gallery, k1, k2)
    return cosine_distances(query, gallery)
