"""How early a search finds who it asks for: CMC, mAP and mINP by the rule of Market-1501."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.reid.crops import UNKNOWN, Crops
from mot_dinov3.errors import InputError
from mot_dinov3.values import BoolArray, FloatArray, check_shapes

DEPTHS = (1, 5, 10)
"""Places down to which a match counts for the cumulative matching characteristic."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is known of every query (row) and gallery picture (column).

    Attributes:
        same_identity: (Q, G) bool.
        same_camera: (Q, G) bool, seen by one known camera, or the very same file.
    """

    same_identity: BoolArray
    same_camera: BoolArray

    def __post_init__(self) -> None:
        check_shapes("Pairs", same_camera=(self.same_camera, self.same_identity.shape))

    @property
    def matches(self) -> BoolArray:
        """(Q, G) what a query should find: its identity, seen by another camera."""
        return self.same_identity & ~self.same_camera

    @property
    def strangers(self) -> BoolArray:
        """(Q, G) other identities seen by another camera."""
        return ~self.same_identity & ~self.same_camera


@dataclass(frozen=True, slots=True)
class Ranking:
    """Figures of a search, as shares in [0, 1], means over the queries that count.

    Attributes:
        rank1: queries whose first place is a match: CMC at 1.
        rank5: queries with a match among the first five.
        rank10: queries with a match among the first ten.
        mean_ap: mean average precision.
        mean_inp: mean inverse negative penalty.
        queries: how many count, as there is a match to find.
        unmatched: how many do not.
    """

    rank1: float
    rank5: float
    rank10: float
    mean_ap: float
    mean_inp: float
    queries: int
    unmatched: int


def find_pairs(query: Crops, gallery: Crops) -> Pairs:
    """Compare identities and cameras; identities must be numbered alike in both.

    A camera that is unknown is not the same as any, so only the same file is left out there.

    Raises:
        InputError: no query has a match to find, or there is one identity alone.
    """
    known = query.camera[:, None] != UNKNOWN
    same_camera = known & (query.camera[:, None] == gallery.camera)
    column = {path.resolve(): i for i, path in enumerate(gallery.paths)}
    for row, path in enumerate(query.paths):
        if (place := column.get(path.resolve())) is not None:
            same_camera[row, place] = True
    pairs = Pairs(query.identity[:, None] == gallery.identity, same_camera)
    if pairs.same_identity.all():
        raise InputError(
            "All pictures show the same identity: there is no other to take it for.",
            fix="Give a set with two identities or more.",
        )
    if not pairs.matches.any():
        raise InputError(
            "No query has a picture of its identity by another camera in the gallery.",
            fix="Give a set that shows identities in two cameras or more.",
        )
    return pairs


def cosine_distances(query: FloatArray, gallery: FloatArray) -> FloatArray:
    """(Q, G) float32 one minus the cosine of unit rows: the order is that of Euclidean distances.

    The squared distance of two unit vectors is twice as much.
    """
    return np.asarray(1 - query @ gallery.T, np.float32)


def rank(distances: FloatArray, pairs: Pairs) -> Ranking:
    """Rank the gallery for every query and say how early its matches come.

    Pictures of the same identity by the same camera are left out of the ranking, and a query
    without a match does not count (Zheng et al. 2015, "Scalable person re-identification: a
    benchmark"). With the matches at places r_1 < ... < r_n, average precision is the mean of
    k / r_k, without the benchmark's later interpolation, and the inverse negative penalty n / r_n
    (Ye et al. 2021, "Deep learning for person re-identification: a survey and outlook",
    https://arxiv.org/abs/2001.04193, section 3.3). At equal distances a match comes last, so
    that a network that finds all pictures alike gains nothing.

    Args:
        distances: (Q, G) lower is more alike.
        pairs: which of them are matches.
    """
    matches = pairs.matches
    left = matches | ~pairs.same_identity
    first, precision, penalty = [], [], []
    for row in range(len(distances)):
        hits = matches[row, left[row]]
        order = np.lexsort((hits, distances[row, left[row]]))
        places = np.flatnonzero(hits[order]) + 1
        if len(places):
            first.append(places[0])
            precision.append((np.arange(1, len(places) + 1) / places).mean())
            penalty.append(len(places) / places[-1])
    rank1, rank5, rank10 = (float(np.mean(np.array(first) <= depth)) for depth in DEPTHS)
    return Ranking(
        rank1=rank1,
        rank5=rank5,
        rank10=rank10,
        mean_ap=float(np.mean(precision)),
        mean_inp=float(np.mean(penalty)),
        queries=len(first),
        unmatched=len(distances) - len(first),
    )
