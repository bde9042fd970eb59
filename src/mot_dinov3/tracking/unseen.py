"""Tracks that no detection continues in a frame, and what a searcher found of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mot_dinov3.tracking.appearance_scale import AppearanceScale
from mot_dinov3.tracking.gallery import Gallery
from mot_dinov3.tracking.movement import Movement
from mot_dinov3.tracking.track_table import TrackTable
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    SEARCHED,
    TENTATIVE,
    BoolArray,
    FloatArray,
    IntArray,
    Tracks,
)


class UnseenTracks:
    """Those tracks of a frame, which a searcher may look for, and which it may carry on."""

    def __init__(
        self,
        table: TrackTable,
        movement: Movement,
        gallery: Gallery,
        scale: AppearanceScale,
        strong_score: float,
    ) -> None:
        """Look at the parts of a tracker, whose rows are aligned.

        Args:
            table: the tracks.
            movement: how they move.
            gallery: what they look like.
            scale: reads the cosines of the gallery.
            strong_score: confidence from which on a detection is strong.
        """
        self._table, self._movement = table, movement
        self._gallery, self._scale = gallery, scale
        self._strong_score = strong_score

    def list_targets(self, tracks: Tracks, most_missed: int) -> IntArray:
        """(M,) the rows of `tracks` that a searcher may look for, the last seen first.

        A lost track counts only if its last detection was strong: one that weak detections kept
        alive may well be none, and a searcher would never let go of it.

        Args:
            tracks: what `update` or `coast` returned for this frame.
            most_missed: frames in a row without a detection, after which a lost track is left.
        """
        rows = self._find_rows(tracks)
        lost = self._table.state[rows] == LOST
        lately = self._table.misses[rows] <= most_missed
        lately &= self._table.score[rows] >= self._strong_score
        wanted = (tracks.detection < 0) & (~lost | lately)
        found = np.flatnonzero(wanted)
        return found[np.argsort(self._table.misses[rows[found]], kind="stable")]

    def carry(self, tracks: Tracks, found: IntArray, xyxy: FloatArray, score: FloatArray) -> Tracks:
        """Continue tracks with what a searcher found; returns `tracks` with that in it.

        Their boxes are those of the motion model, corrected by the finds.

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
        boxes[found] = self._movement.model.xyxy()[rows]
        state[found] = np.where(self._table.state[rows] == CONFIRMED, SEARCHED, TENTATIVE)
        return replace(tracks, xyxy=boxes, state=state)

    def trust(self, tracks: Tracks, inside: BoolArray) -> Tracks:
        """Believe in a frame without detections that tracks are where they are expected.

        Nothing says that a track is gone, if only the searcher did not find it. Its prediction is
        not corrected, so that it grows as unsure as that of a lost one.

        Args:
            tracks: what `coast` returned for this frame.
            inside: (T,) which of them are expected in the picture.
        """
        present = inside & (self._table.state[self._find_rows(tracks)] == CONFIRMED)
        return replace(tracks, state=np.where(present, SEARCHED, tracks.state).astype(np.int8))

    def compare(self, tracks: Tracks, found: IntArray, vectors: FloatArray) -> FloatArray:
        """(M,) how much more than the gate asks for unit rows (M, D) look like rows of `tracks`.

        NaN where that says nothing: the track remembers no look, or looks tell nothing apart.

        Args:
            tracks: what `update` or `coast` returned for this frame.
            found: (M,) its rows.
            vectors: (M, D) what was found of them.
        """
        rows, gate = self._find_rows(tracks)[found], self._scale.gate
        out = np.full(len(rows), np.nan, np.float32)
        if not self._scale.lets_return:
            return out
        for place, row in enumerate(rows.tolist()):
            if self._gallery.known[row]:
                one = vectors[place : place + 1]
                out[place] = self._gallery.best_similarity(one, np.array([row]))[0, 0] - gate
        return out

    def _find_rows(self, tracks: Tracks) -> IntArray:
        """(T,) the rows of the table that the rows of `tracks`, some of them in order, are."""
        return np.flatnonzero(np.isin(self._table.id, tracks.id))
