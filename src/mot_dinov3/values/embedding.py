"""The fate of every detection's embedding: planned, carried out, counted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values.arrays import (
    NO_ROWS,
    NO_VALUES,
    BoolArray,
    FloatArray,
    IntArray,
    check_shapes,
)


class Reason(IntEnum):
    """Why a detection got its fate in an `EmbedPlan`.

    Reused: STABLE continues a track whose embedding is recent enough; LOW_SCORE is too weak to
    be embedded at all; POOR shows too little of its object; SUPPLIED came with a vector.

    By continuity: DUE continues a track whose embedding is old; NO_TRACK, nothing is being
    tracked yet; WEAK_IOU, no track predicted it here; CROWDED, another detection overlaps it;
    ALWAYS, the policy embeds everything.

    By value: AMBIGUOUS, several tracks or rivals fit; RETURN, it may be a lost track; ENROL,
    too little is remembered of its track; SNAPSHOT, its track is about to be covered or to
    leave; DRIFT, the appearance of its track changes and was not refreshed for a while; OLDEST,
    no other track waited longer; ARBITRATE, its track overlapped with another, and what it looks
    like now tells whether the two changed places.
    """

    STABLE = 0
    DUE = 1
    NO_TRACK = 2
    WEAK_IOU = 3
    CROWDED = 4
    ALWAYS = 5
    LOW_SCORE = 6
    AMBIGUOUS = 7
    RETURN = 8
    ENROL = 9
    SNAPSHOT = 10
    DRIFT = 11
    OLDEST = 12
    POOR = 13
    ARBITRATE = 14
    SUPPLIED = 15


@dataclass(frozen=True, slots=True)
class SimilarityPrior:
    """What is known of the cosines of an embedder before a run.

    Attributes:
        gate: cosine from which on two crops show the same object.
        trusted: the embedder was made to tell objects apart, so that `gate` holds until the run
            has pairs of its own; else no lost track returns by appearance from the first two
            objects on that are seen together until there are enough pairs.
    """

    gate: float = 0.7
    trusted: bool = True


class Fate(IntEnum):
    """What a plan does with a detection's embedding."""

    REUSE = 0
    REFRESH = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class EmbedPlan:
    """The fate of every detection's embedding this frame, before any time is spent.

    Attributes:
        critical: (C,) int64 rows that must be computed now, most urgent first.
        refresh: (R,) int64 rows worth computing if time is left, best first.
        reuse: (U,) int64 rows whose track's embedding stands; with the two above a partition of N.
        track: (N,) int64 row of the continued track in the prediction, -1 for none.
        reason: (N,) int8, a `Reason` per detection.
        worth: (N,) float32, what a crop's embedding is worth to the policy, for the trace; empty
            where the policy only ranks.
        poor: int64 rows whose embeddings may be compared, but must not be remembered.
    """

    critical: IntArray
    refresh: IntArray
    reuse: IntArray
    track: IntArray
    reason: NDArray[np.int8]
    worth: FloatArray = field(default_factory=lambda: NO_VALUES)
    poor: IntArray = field(default_factory=lambda: NO_ROWS)

    def __post_init__(self) -> None:
        n = len(self.track)
        check_shapes("EmbedPlan", reason=(self.reason, (n,)))
        if len(self.worth):
            check_shapes("EmbedPlan", worth=(self.worth, (n,)))
        fates = np.concatenate((self.critical, self.refresh, self.reuse))
        if len(fates) != n or (n and (np.bincount(fates, minlength=n) != 1).any()):
            raise ValueError("EmbedPlan: critical, refresh and reuse must partition the rows")

    def __len__(self) -> int:
        return len(self.track)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What is known of each detection's appearance after the budget was spent.

    Attributes:
        vectors: (N, D) float32, unit rows where `valid`; D is 0 before the first embedding.
        fresh: (N,) bool, computed in this frame: the only rows that are evidence.
        valid: (N,) bool, fresh or reused from the continued track.
        poor: int64 rows of crops that show too little to be remembered.
    """

    vectors: FloatArray
    fresh: BoolArray
    valid: BoolArray
    poor: IntArray = field(default_factory=lambda: NO_ROWS)

    def __post_init__(self) -> None:
        n = len(self.fresh)
        width = self.vectors.shape[1] if self.vectors.ndim == 2 else -1
        check_shapes("Embeddings", vectors=(self.vectors, (n, width)), valid=(self.valid, (n,)))

    def __len__(self) -> int:
        return len(self.fresh)

    @property
    def memorable(self) -> BoolArray:
        """(N,) rows that a gallery may keep: computed in this frame, of a crop good enough."""
        out = self.fresh.copy()
        out[self.poor] = False
        return out

    def with_vectors(self, vectors: FloatArray | None) -> Embeddings:
        """Put vectors (N, D) that came from elsewhere beside these; they are fresh, too.

        Args:
            vectors: unit rows, NaN in rows without one; None where there are none.
        """
        if vectors is None:
            return self
        rows: BoolArray = np.asarray(np.isfinite(vectors).all(axis=1), np.bool_)
        known = self.vectors.shape == vectors.shape
        own = self.vectors if known else np.zeros_like(vectors)
        both = np.where(rows[:, None], vectors, own)
        return Embeddings(both, self.fresh | rows, self.valid | rows, self.poor)

    @classmethod
    def none(cls, n: int, dim: int = 0) -> Embeddings:
        """No appearance known for `n` detections: motion alone decides."""
        missing = np.zeros(n, np.bool_)
        return cls(np.zeros((n, dim), np.float32), missing, missing.copy())


@dataclass(frozen=True, slots=True)
class EmbedCounts:
    """What the embedding step of one frame did.

    Attributes:
        critical: crops computed because they had to be.
        refresh: crops computed because time was left.
        reused: detections that kept their track's embedding without being due.
        deferred: due refreshes that did not fit; the stalest of them is first next frame.
        starved: critical crops that a hard budget refused.
        nonfinite: computed vectors thrown away because they held NaN or infinity.
        without_track: computed for detections that no track has after the frame.
        budget_ms: what a frame may spend, 0 for no limit.
        embed_ms: measured time of the whole step, `critical_ms` the critical part of it.
        predicted_ms: what the cost model expected for the crops that were computed.
    """

    critical: int = 0
    refresh: int = 0
    reused: int = 0
    deferred: int = 0
    starved: int = 0
    nonfinite: int = 0
    without_track: int = 0
    budget_ms: float = 0.0
    embed_ms: float = 0.0
    critical_ms: float = 0.0
    predicted_ms: float = 0.0

    @property
    def computed(self) -> int:
        """Crops that went through the embedder."""
        return self.critical + self.refresh


@dataclass(frozen=True, slots=True)
class Decisions:
    """What became of every detection's embedding in one frame, for traces.

    Attributes:
        fate: (N,) int8, a `Fate`: what the plan said.
        rank: (N,) int64, place in the plan's order, critical before refresh; -1 if reused.
        reason: (N,) int8, a `Reason`.
        worth: (N,) float32, NaN where the policy only ranks.
        quality: (N,) float32 in [0, 1], how well the crop shows the object.
        admitted: (N,) bool, went through the embedder.
        predicted_ms: (N,) float32, share of what its batch was expected to cost; NaN if none.
        real_ms: (N,) float32, share of what its batch cost; NaN if none.
    """

    fate: NDArray[np.int8]
    rank: IntArray
    reason: NDArray[np.int8]
    worth: FloatArray
    quality: FloatArray
    admitted: BoolArray
    predicted_ms: FloatArray
    real_ms: FloatArray

    def __post_init__(self) -> None:
        n = len(self.fate)
        columns = {item.name: (getattr(self, item.name), (n,)) for item in fields(self)}
        check_shapes("Decisions", **columns)

    def __len__(self) -> int:
        return len(self.fate)


@dataclass(frozen=True, slots=True)
class Appearance:
    """What one embedding of a frame told about its track, compared with what was known before.

    Attributes:
        track_id: the track that it was computed for.
        similarity: cosine with what was remembered of that track, NaN for its first embedding.
        resembles: for a first embedding, (track id, cosine) of the tracks that left shortly
            before and are most similar, best first.
    """

    track_id: int
    similarity: float = math.nan
    resembles: tuple[tuple[int, float], ...] = ()
