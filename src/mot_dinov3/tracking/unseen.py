"""Tracks that no detection continues in a frame, and what a searcher found of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mot_dinov3.tracking.gallery import Gallery
from mot_dinov3.tracking.movement import Movement
from mot_dinov3.tracking.track_table import TrackTable
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    SEARCHED,
    TENTATIVE,
    FloatArray,
    IntArray,
    Tracks,
)


class UnseenTracks:
    """Those tracks of a frame, which a searcher may look for, and which it may carry on."""

    def __init__(self, table: TrackTable, movement: Movement, gallery: Gallery) -> None:
        """Look at the parts of a tracker, whose rows are aligned."""
        self._table, self._movement, self._gallery = table, movement, gallery

    def list_targets(self, tracks: Tracks, most_missed: int) -> IntArray:
        """(M,) the rows of `tracks` that a searcher may look for, the last seen first.

        Args:
            tracks: what `update` or `coast` returned for this frame.
            most_missed: frames in a row without a detection, after which a lost track is left.
        """
        rows = self._find_rows(tracks)
        lost = self._table.state[rows] == LOST
        wanted = (tracks.detection < 0) & (~lost | (self._table.misses[rows] <= most_missed))
        found = np.flatnonzero(wanted)
        return found[np.argsort(self._table.misses[rows[found]], kind="stable")]

    def carry(self, tracks: Tracks, found: IntArray, xyxy: FloatArray, score: FloatArray) -> Tracks:
        """Continue tracks with what a searcher found; returns `tracks` with that in it.

        Args:
            tracks: what `update` or `coast` returned for this frame.
            found: (M,) its rows.
            xyxy: (M, 4) float32 their boxes.
            score: (M,) float32 how sure that is, 0 to 1.
        """
        rows = self._find_rows(tracks)[found]
        self._movement.model.update(rows, xyxy, score)
        self._table.carry(rows)
        boxes, state = tracks.xyxy.copy(), tracks.state.copy()
        boxes[found] = xyxy
        state[found] = np.where(self._table.state[rows] == CONFIRMED, SEARCHED, TENTATIVE)
        return replace(tracks, xyxy=boxes, state=state)

    def compare_looks(self, tracks: Tracks, found: IntArray, vectors: FloatArray) -> FloatArray:
        """(M,) the highest cosines of unit rows (M, D) with what rows `found` of `tracks` store.

        NaN where a track has no embedding.
        """
        rows = self._find_rows(tracks)[found]
        out = np.full(len(rows), np.nan, np.float32)
        for place, row in enumerate(rows.tolist()):
            if self._gallery.known[row]:
                one = np.array([row])
                out[place] = self._gallery.best_similarity(vectors[place : place + 1], one)[0, 0]
        return out

    def _find_rows(self, tracks: Tracks) -> IntArray:
        """(T,) the rows of the table that the rows of `tracks`, some of them in order, are."""
        return np.flatnonzero(np.isin(self._table.id, tracks.id))
