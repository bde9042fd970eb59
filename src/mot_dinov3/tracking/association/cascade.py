"""The default association: place first, appearance where there is evidence of it, in stages.

Every stage matches what the stages before it left free (see `Pairing`):

1. Strong detections with confirmed tracks, and with lost ones whose predicted place still means
   something. Pairs are near each other, or look alike and are possible by motion (`candidates`).
2. Strong detections with confirmed tracks, at a lower overlap: at few frames a second a new object
   outruns its first prediction.
3. Weak detections with tracks that were seen a moment ago (Zhang et al. 2022).
4. Strong detections with tentative tracks.
5. Strong embedded detections with lost tracks, by cosine, where they can have got to.

A detection is strong if its score is high, or for a track that it looks like, else weak. A
confirmed track was seen in the frame before: the first frame that misses it makes it lost.

Pairs are given as arrays: pair k is the detection `rows[k]` and the track `columns[k]`.
"""

from __future__ import annotations

import numpy as np

from mot_dinov3.config import AssociationConfig, TrackerConfig
from mot_dinov3.tracking.assignment import REFUSED, greedy, hungarian
from mot_dinov3.tracking.association import place
from mot_dinov3.tracking.association.base import (
    FIRST_STAGE,
    Associator,
    Comparison,
    NearPairs,
    TrackView,
)
from mot_dinov3.tracking.association.candidates import (
    Candidates,
    collect_candidates,
    find_duplicates,
    find_waking,
)
from mot_dinov3.tracking.association.pairing import Pairing
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    TENTATIVE,
    BoolArray,
    Detections,
    Embeddings,
    FloatArray,
    IntArray,
    Matches,
)
from mot_dinov3.values.boxes import sides

CLASS_CHANGE_IOU = 0.7
"""A detection of another class continues a track only where the boxes agree this well."""

POOR_SHARE = 1 / 3
"""By which part of its distance from 1 the gate is raised for a bad crop: half a person looks like
many."""

SAME_TIME_S = 1e-4
"""Times in seconds that differ by less are the same time, rounded."""


class CascadeAssociation(Associator):
    """Sure pairs first, then the likely ones, then what is left."""

    def __init__(self, config: AssociationConfig, tracker: TrackerConfig) -> None:
        """Build it.

        Args:
            config: gates and costs.
            tracker: tells how long lost tracks matter.
        """
        self.config = config
        self.tracker = tracker
        self.solve = greedy if config.no_hungarian else hungarian

    def compare(self, detections: Detections, view: TrackView) -> NearPairs:
        """See `Associator.compare`; boxes grow with the time that the track is away."""
        share = place.compute_growth(view.away_s, self.config)
        rows, columns = place.find_touching(sides(detections.xyxy), sides(view.xyxy), share)
        near = place.compare_pairs(detections, view, rows, columns, self.config)
        other_class = detections.class_id[rows] != view.class_id[columns]
        if not other_class.any():
            return near
        return near[~other_class | (near.iou >= CLASS_CHANGE_IOU)]

    def associate(self, comparison: Comparison, embeddings: Embeddings, view: TrackView) -> Matches:
        """See `Associator.associate`; the stages are those at the top of this file."""
        pairing = Pairing(len(comparison.detections), len(view), self.solve)
        if not len(view) or not len(comparison.detections):
            return pairing.matches()
        duplicate = np.zeros(len(comparison.detections), np.bool_)
        if embeddings.fresh.any():
            duplicate = find_duplicates(comparison.detections)
        candidates = collect_candidates(comparison, embeddings, view, duplicate, self.config)
        self._assign_first(pairing, candidates, comparison.strong, view)
        if pairing.has_free_pairs():
            self._assign_by_place(pairing, comparison, view)
            self._assign_returning(pairing, comparison, embeddings, view, duplicate)
        return pairing.matches()

    def _assign_first(
        self, pairing: Pairing, candidates: Candidates, strong: BoolArray, view: TrackView
    ) -> None:
        """Stage 1; with `recent_first`, confirmed tracks choose by place before lost ones do."""
        worst = min(self.config.worst_cost, REFUSED)
        confirmed = view.state == CONFIRMED
        present = confirmed | ((view.state == LOST) & self._is_recent(view))
        rows, columns, cost = candidates.rows, candidates.columns, candidates.cost
        # A weak detection that looks like the track has that to speak for it.
        from_strong = strong[rows] | candidates.agrees
        if self.config.recent_first:
            allowed = from_strong & confirmed[columns] & ~candidates.has_evidence
            pairing.assign(rows, columns, cost, allowed, worst)
        pairing.assign(rows, columns, cost, from_strong & present[columns], worst)

    def _assign_by_place(self, pairing: Pairing, comparison: Comparison, view: TrackView) -> None:
        """Stages 2 to 4, which look at place alone."""
        config, near = self.config, comparison.near
        near = near[pairing.are_free(near.rows, near.columns)]
        if not len(near):
            return
        from_strong, columns = comparison.strong[near.rows], near.columns
        for detections, tracks, least in (
            (from_strong, view.state == CONFIRMED, config.hasty_iou),
            (~from_strong, self._admits_weak(view), config.low_match_iou),
            (from_strong, view.state == TENTATIVE, config.tentative_iou),
        ):
            allowed = detections & tracks[columns] & (near.overlap >= least)
            pairing.assign(near.rows, columns, near.cost, allowed)

    def _assign_returning(
        self,
        pairing: Pairing,
        comparison: Comparison,
        embeddings: Embeddings,
        view: TrackView,
        duplicate: BoolArray,
    ) -> None:
        """Stage 5, which looks at appearance alone: lost tracks may return anywhere in reach.

        The detection must be strong, so that background takes no number of a person who left, and
        must not be a `duplicate` (N,): a second box on an object looks like that one.
        """
        waking = find_waking(comparison, duplicate)
        rows = np.flatnonzero(pairing.detection_free & embeddings.fresh & waking)
        lost = (view.state == LOST) & (view.lost_s <= self.tracker.reid_s)
        columns = np.flatnonzero(pairing.track_free & lost & view.gallery.known)
        if not len(rows) or not len(columns) or not view.scale.lets_return:
            return
        similarity = view.gallery.best_similarity(embeddings.vectors[rows], columns)
        gate = view.scale.gate
        least = gate + POOR_SHARE * (1.0 - gate) * ~embeddings.memorable[rows]
        allowed = self.may_return(comparison, view, rows, columns)
        allowed &= similarity >= least[:, None]
        i, j = allowed.nonzero()
        pairing.assign(rows[i], columns[j], 1.0 - similarity[i, j], allowed[i, j])

    def place_cost(self, comparison: Comparison, view: TrackView) -> FloatArray:
        """See `Associator.place_cost`.

        A pair is allowed if its overlap reaches what any of the stages 1 to 4 asks of it. One
        that the first stage would not take costs `FIRST_STAGE` more, as that stage chooses first.
        """
        config, near, never = self.config, comparison.near, np.float32(np.inf)
        tentative, confirmed = view.state == TENTATIVE, view.state == CONFIRMED
        # (T,) the least overlap at which each track takes a strong and a weak detection.
        least = np.where(self._is_recent(view), np.float32(config.match_iou), never)
        least[confirmed] = min(config.hasty_iou, config.match_iou)
        least[tentative] = config.tentative_iou
        least_weak = np.where(self._admits_weak(view), np.float32(config.low_match_iou), never)

        from_strong, columns = comparison.strong[near.rows], near.columns
        allowed = near.overlap >= np.where(from_strong, least[columns], least_weak[columns])
        late = (near.overlap < config.match_iou) | ~from_strong
        late |= tentative[columns] | (near.cost >= config.worst_cost)
        return np.where(allowed, near.cost + np.float32(FIRST_STAGE) * late, never)

    def may_return(
        self, comparison: Comparison, view: TrackView, rows: IntArray, columns: IntArray
    ) -> BoolArray:
        """See `Associator.may_return`.

        The detection must be eligible, and the embedder able to tell. The track must have a
        gallery, be of the same class, be in reach, and be lost for no longer than the window of
        re-identification.
        """
        if not len(rows) or not len(columns):
            return np.zeros((len(rows), len(columns)), np.bool_)
        detections, lost_s = comparison.detections, view.lost_s[columns]
        seen, past = sides(detections.xyxy[rows]), sides(view.xyxy[columns])
        allowed = place.is_reachable(seen[:, :, None], past[:, None], lost_s)
        allowed &= detections.class_id[rows, None] == view.class_id[columns]
        allowed &= view.gallery.known[columns] & (lost_s <= self.tracker.reid_s)
        allowed &= comparison.eligible[rows, None] & view.scale.lets_return
        return allowed

    def _is_recent(self, view: TrackView) -> BoolArray:
        """(T,) whether a track was seen so recently that its predicted place means something."""
        return np.asarray(view.lost_s <= self.tracker.max_lost_s, np.bool_)

    def _admits_weak(self, view: TrackView) -> BoolArray:
        """(T,) whether a track was seen so recently that a weak detection may continue it.

        Tentative tracks are left out: a weak detection proves no new object.
        """
        moment_ago = view.away_s <= self.config.low_window_s + SAME_TIME_S
        established = (view.state == CONFIRMED) | (view.state == LOST)
        return np.asarray(established & moment_ago, np.bool_)
