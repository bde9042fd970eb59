"""How the appearance of tracks changes, and which earlier tracks a new one resembles: for reports.

A track keeps a running mean of its embeddings, as in the gallery of the tracker.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mot_dinov3.values import Appearance, FloatArray, FrameResult, follow_ids
from mot_dinov3.values.vectors import GALLERY_MOMENTUM, update_mean

REMEMBERED_S = 10.0
"""Seconds for which a track that is not seen any more is compared with new ones."""
MOST_REMEMBERED = 512
"""Tracks that are remembered at a time."""
MOST_NAMED = 3
"""Earlier tracks that are named beside a new one."""


@dataclass(slots=True)
class _Memory:
    mean: FloatArray
    seen_s: float


class AppearanceHistory:
    """Compares the embeddings of a run with earlier ones; its memory is bounded."""

    def __init__(self) -> None:
        self._known: dict[int, _Memory] = {}

    def update(self, result: FrameResult) -> list[Appearance]:
        """Compare the embeddings that were computed in a frame, in the order of its tracks.

        Args:
            result: of the next frame; frames come in order. A result without embeddings gives an
                empty list.
        """
        tracks, embeddings = result.tracks, result.embeddings
        follow_ids(self._known, tracks)
        for track_id in tracks.id[tracks.detection >= 0].tolist():
            if track_id in self._known:
                self._known[track_id].seen_s = result.time_s
        if embeddings is None or not embeddings.vectors.shape[1]:
            return []
        rows = np.flatnonzero(tracks.fresh & (tracks.detection >= 0))
        pairs = zip(tracks.id[rows].tolist(), tracks.detection[rows].tolist(), strict=True)
        fresh = {track_id: embeddings.vectors[row] for track_id, row in pairs}
        compared = [self._compare(track_id, fresh[track_id], result.time_s) for track_id in fresh]
        for track_id, vector in fresh.items():
            self._learn(track_id, vector, result.time_s)
        self._forget(result.time_s)
        return compared

    def _compare(self, track_id: int, vector: FloatArray, now_s: float) -> Appearance:
        """Compare a vector (D,) with the track's own past, or a first one with other tracks."""
        known = self._known.get(track_id)
        if known is not None:
            return Appearance(track_id, float(vector @ known.mean))
        gone = {
            other: past.mean
            for other, past in self._known.items()
            if past.seen_s < now_s and other > 0
        }
        if not gone:
            return Appearance(track_id)
        similarity = np.stack(list(gone.values())) @ vector
        best = np.argsort(-similarity, kind="stable")[:MOST_NAMED].tolist()
        names = list(gone)
        return Appearance(track_id, math.nan, tuple((names[i], float(similarity[i])) for i in best))

    def _learn(self, track_id: int, vector: FloatArray, now_s: float) -> None:
        known = self._known.get(track_id)
        if known is None:
            self._known[track_id] = _Memory(vector.copy(), now_s)
            return
        mean, seen = known.mean[None], np.ones(1, np.bool_)
        known.mean = update_mean(mean, seen, vector[None], GALLERY_MOMENTUM)[0]

    def _forget(self, now_s: float) -> None:
        """Drop tracks that were last seen long ago, then the longest unseen of too many."""
        oldest_s = now_s - REMEMBERED_S
        kept = {i: past for i, past in self._known.items() if past.seen_s >= oldest_s}
        if len(kept) > MOST_REMEMBERED:
            latest = sorted(kept, key=lambda i: kept[i].seen_s)[-MOST_REMEMBERED:]
            kept = {i: kept[i] for i in latest}
        self._known = kept
