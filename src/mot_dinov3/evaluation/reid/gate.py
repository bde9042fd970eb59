"""The cosine from which on two pictures are taken to show the same object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.errors import InputError
from mot_dinov3.tracking.gallery import Gallery
from mot_dinov3.values import BoolArray, FloatArray, IntArray

MERGE_WEIGHT = 10.0
"""How many false splits a false merge is worth: in each decision there are about five strangers to
one that is right, and a wrong merge is worse than none."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Where two kinds of pairs are told apart best, and how badly.

    Attributes:
        cosine: pairs from here on count as the same.
        error: mean of the two shares below.
        splits: share of the pairs of the same object that lie below.
        merges: share of the pairs of different objects that do not.
    """

    cosine: float
    error: float
    splits: float
    merges: float


def suggest_gate(
    same: FloatArray, different: FloatArray, merge_weight: float = MERGE_WEIGHT
) -> Gate:
    """Find the cosine at which false splits are `merge_weight` times as frequent as false merges.

    It is the point of equal errors with the false merges weighted: the larger of the share of
    splits and the weighted share of merges is least. Pairs without overlap are parted in the
    middle between the two kinds.

    Args:
        same: (S,) cosines of pairs that show the same object.
        different: (D,) cosines of pairs that do not.
        merge_weight: how many false splits one false merge is worth; 1 for equal errors.

    Raises:
        InputError: there are no pairs of one kind.
    """
    if not len(same) or not len(different):
        raise InputError(
            "A cosine gate is found from pairs of the same and of different objects, and there "
            f"are {len(same)} and {len(different)}.",
            fix="Give pictures of two identities or more, and several of each.",
        )
    same, different = np.sort(same), np.sort(different)
    cosines = np.unique(np.concatenate((same, different)).astype(np.float64))
    tried = np.concatenate((cosines[:1], (cosines[1:] + cosines[:-1]) / 2))
    splits = np.searchsorted(same, tried) / len(same)
    merges = 1 - np.searchsorted(different, tried) / len(different)
    best = int(np.argmin(np.maximum(splits, merge_weight * merges)))
    error = (splits[best] + merges[best]) / 2
    return Gate(*(float(value) for value in (tried[best], error, splits[best], merges[best])))


def suggest_memory_gate(vectors: FloatArray, identity: IntArray, remembered: BoolArray) -> Gate:
    """Find the gate for boxes beside what a tracker remembers of tracks.

    The best of some vectors and their mean is nearer to every box than one vector is, of strangers
    as well, so a gate from pairs of single boxes refuses or admits other shares of them.

    Args:
        vectors: (N, D) float32 unit rows, those of an identity in order of time.
        identity: (N,) int64.
        remembered: (N,) what galleries keep; the others ask.

    Raises:
        InputError: there are no pairs of one kind.
    """
    shown, number = np.unique(identity, return_inverse=True)
    gallery = Gallery()
    gallery.extend(len(shown))
    for row in np.flatnonzero(remembered):
        gallery.add(number[row, None], vectors[row, None])
    rows = np.arange(len(shown))
    alike = gallery.best_similarity(vectors[~remembered], rows)
    same = number[~remembered, None] == rows
    return suggest_gate(alike[same], alike[~same])
