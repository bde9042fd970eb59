"""How like their own past identities look, and whom a newcomer resembles: for reports."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mot_dinov3.values import FloatArray, FrameResult, Look
from mot_dinov3.values.vectors import followed

MOMENTUM = 0.8
"""Weight of the past in what is remembered of an identity."""
REMEMBERED_S = 10.0
"""Seconds after which nobody asks any more whether a newcomer is somebody who left."""
MOST_REMEMBERED = 512
MOST_NAMED = 3


@dataclass(slots=True)
class _Memory:
    mean: FloatArray
    seen_s: float


class AppearanceHistory:
    """Follows the results of a run; memory is bounded by who was seen in the last seconds."""

    def __init__(self) -> None:
        self._known: dict[int, _Memory] = {}

    def follow(self, result: FrameResult) -> list[Look]:
        """What the embeddings computed in this frame tell, in the order of the tracks.

        Frames come in order. Nothing is told of a result without embeddings.
        """
        tracks, embeddings = result.tracks, result.embeddings
        for track_id in tracks.id[tracks.detection >= 0].tolist():
            if track_id in self._known:
                self._known[track_id].seen_s = result.time_s
        if embeddings is None or not embeddings.vectors.shape[1]:
            return []
        rows = np.flatnonzero(tracks.fresh & (tracks.detection >= 0))
        pairs = zip(tracks.id[rows].tolist(), tracks.detection[rows].tolist(), strict=True)
        fresh = {track_id: embeddings.vectors[row] for track_id, row in pairs}
        looks = [self._look(track_id, vector, result.time_s) for track_id, vector in fresh.items()]
        for track_id, vector in fresh.items():
            self._learn(track_id, vector, result.time_s)
        self._forget(result.time_s)
        return looks

    def _look(self, track_id: int, vector: FloatArray, now_s: float) -> Look:
        known = self._known.get(track_id)
        if known is not None:
            return Look(track_id, float(vector @ known.mean))
        gone = {other: past.mean for other, past in self._known.items() if past.seen_s < now_s}
        if not gone:
            return Look(track_id)
        similarity = np.stack(list(gone.values())) @ vector
        best = np.argsort(-similarity, kind="stable")[:MOST_NAMED].tolist()
        names = list(gone)
        return Look(track_id, math.nan, tuple((names[i], float(similarity[i])) for i in best))

    def _learn(self, track_id: int, vector: FloatArray, now_s: float) -> None:
        known = self._known.get(track_id)
        if known is None:
            self._known[track_id] = _Memory(vector.copy(), now_s)
            return
        mean, seen = known.mean[None], np.ones(1, np.bool_)
        known.mean = followed(mean, seen, vector[None], MOMENTUM)[0]

    def _forget(self, now_s: float) -> None:
        """Drop who left long ago, and the longest unseen where there are too many."""
        oldest_s = now_s - REMEMBERED_S
        kept = {i: past for i, past in self._known.items() if past.seen_s >= oldest_s}
        if len(kept) > MOST_REMEMBERED:
            latest = sorted(kept, key=lambda i: kept[i].seen_s)[-MOST_REMEMBERED:]
            kept = {i: kept[i] for i in latest}
        self._known = kept
