"""The default association: place first, appearance where there is evidence of it, in stages.

1. Confident detections against confirmed tracks, and against lost ones whose predicted place still
   means something. Pairs are near each other, or look alike and are possible by motion.
2. Confident detections left over against tracks left over that were there a frame ago, at a
   lower overlap: at few frames a second a new object outruns its first prediction.
3. Weak detections against the tracks left over that were there a moment ago (Zhang et al. 2022).
4. Confident detections left over against tentative tracks.
5. Confident detections left over against lost tracks, by cosine, where they can have got to.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from mot_dinov3.tracking.association.costs import appearance_cost, blend, distinctness
from mot_dinov3.tracking.association.pairing import Pairing
from mot_dinov3.tracking.motion.base import CHI2_95_2DOF
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
from mot_dinov3.values.boxes import sides, xyxy_to_cxcywh

CLASS_CHANGE_IOU = 0.7
"""A detection of another class continues a track only where the boxes agree this well."""

POOR_MARGIN = 0.1
"""How much more a bad crop must look like a lost track: half a person looks like many."""

SAME_TIME_S = 1e-4
"""Times that differ by less are the same time, rounded."""


@dataclass(frozen=True, slots=True)
class Offers:
    """The K pairs that the first stage may choose from.

    Attributes:
        rows: (K,) int64 detections.
        columns: (K,) int64 tracks.
        cost: (K,) float32 of place and appearance.
        has_evidence: (K,) bool, the cost is not of place alone.
    """

    rows: IntArray
    columns: IntArray
    cost: FloatArray
    has_evidence: BoolArray


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
        """See `Associator.compare`: overlap, and what the configuration adds to it."""
        share = place.growth(view.away_s, self.config)
        rows, columns = place.find_touching(sides(detections.xyxy), sides(view.xyxy), share)
        near = self._compare_pairs(detections, view, rows, columns)
        foreign = detections.class_id[rows] != view.class_id[columns]
        return near[~foreign | (near.iou >= CLASS_CHANGE_IOU)] if foreign.any() else near

    def _compare_pairs(
        self, detections: Detections, view: TrackView, rows: IntArray, columns: IntArray
    ) -> NearPairs:
        """What place says of detections `rows` and tracks `columns` (K,), touching or not."""
        share = place.growth(view.away_s[columns], self.config)
        seen, predicted = sides(detections.xyxy[rows]), sides(view.xyxy[columns])
        overlap = place.overlap(seen, predicted, share)
        config = self.config
        similarity = place.similarity(overlap, config.height_power)
        score = detections.score[rows]
        cost = 1.0 - similarity * (1.0 - config.score_fusion * (1.0 - score))
        if config.momentum > 0 and view.trajectory is not None and len(rows):
            centred = xyxy_to_cxcywh(detections.xyxy[rows]).astype(np.float64)
            earlier, known = view.trajectory.earlier(config.momentum_s)
            turn = place.turn(centred, view.trajectory.last[columns], earlier[columns])
            turn = np.where(known[columns], turn, place.UNSURE_TURN)
            cost += config.momentum * score * (turn - place.UNSURE_TURN)
        return NearPairs(rows, columns, overlap.plain, similarity, np.asarray(cost, np.float32))

    def associate(self, comparison: Comparison, embeddings: Embeddings, view: TrackView) -> Matches:
        """See `Associator.associate`."""
        pairing = Pairing(len(comparison.strong), len(view), self.solve)
        if not len(view) or not len(comparison.strong):
            return pairing.matches()
        strong = comparison.strong | embeddings.fresh
        offers = self._collect_offers(comparison, embeddings, view)
        self._assign_first(pairing, offers, strong, view)
        if pairing.has_free_pairs():
            self._assign_by_place(pairing, comparison.near, strong, view)
            self._assign_returning(pairing, comparison, embeddings, view)
        return pairing.matches()

    def place_cost(self, comparison: Comparison, view: TrackView) -> FloatArray:
        """See `Associator.place_cost`.

        A pair is taken by the first of the stages 1 to 4 whose overlap it reaches. What only a
        stage after the first would take costs `FIRST_STAGE` more: that one chooses before it.
        """
        config, near, never = self.config, comparison.near, np.float32(np.inf)
        tentative = view.state == TENTATIVE
        least = np.where(self._is_recent(view), np.float32(config.match_iou), never)
        least[view.state == CONFIRMED] = min(config.hasty_iou, config.match_iou)
        least[tentative] = config.tentative_iou
        weak = np.where(self._admits_weak(view), np.float32(config.low_match_iou), never)
        sure, columns = comparison.strong[near.rows], near.columns
        late = (near.similarity < config.match_iou) | ~sure
        late |= tentative[columns] | (near.cost >= config.worst_cost)
        allowed = near.similarity >= np.where(sure, least[columns], weak[columns])
        return np.where(allowed, near.cost + np.float32(FIRST_STAGE) * late, never)

    def may_return(
        self, comparison: Comparison, view: TrackView, rows: IntArray, columns: IntArray
    ) -> BoolArray:
        """See `Associator.may_return`.

        The detections must be eligible, and the tracks have a gallery, be of the same class, lost
        for no longer than the window of re-identification, and in reach.
        """
        if not len(rows) or not len(columns):
            return np.zeros((len(rows), len(columns)), np.bool_)
        detections, lost_s = comparison.detections, view.lost_s[columns]
        seen, past = sides(detections.xyxy[rows]), sides(view.xyxy[columns])
        allowed = place.reachable(seen[:, :, None], past[:, None], lost_s)
        allowed &= detections.class_id[rows, None] == view.class_id[columns]
        allowed &= view.gallery.known[columns] & (lost_s <= self.tracker.reid_s)
        allowed &= comparison.eligible[rows, None]
        return allowed

    def _is_recent(self, view: TrackView) -> BoolArray:
        """(T,) seen so recently that the predicted place means something."""
        return np.asarray(view.lost_s <= self.tracker.max_lost_s, np.bool_)

    def _admits_weak(self, view: TrackView) -> BoolArray:
        """(T,) confirmed, and unseen for so short a time that a weak detection may be it."""
        moment_ago = view.away_s <= self.config.low_window_s + SAME_TIME_S
        known = (view.state == CONFIRMED) | (view.state == LOST)
        return np.asarray(known & moment_ago, np.bool_)

    def _collect_offers(
        self, comparison: Comparison, embeddings: Embeddings, view: TrackView
    ) -> Offers:
        """What the first stage may choose from: pairs that are near enough, or look alike."""
        near, known = comparison.near, view.gallery.known
        close = (near.similarity >= self.config.match_iou).nonzero()[0]
        rows, columns, cost = near.rows[close], near.columns[close], near.cost[close]
        fresh = embeddings.fresh.nonzero()[0]
        if not len(fresh) or not view.gallery.dim:
            return Offers(rows, columns, cost, np.zeros(len(rows), np.bool_))

        evidence = embeddings.fresh[rows] & known[columns]
        if comparison.cheap is not None:  # embeddings take the place of cheap evidence
            cost[evidence] -= comparison.cheap.added_cost[close[evidence]]

        similarity = view.gallery.similarity(embeddings.vectors[fresh])
        line_of = embeddings.fresh.cumsum() - 1  # detection -> its line of `similarity`, if fresh
        mine = embeddings.fresh[rows]
        offered = np.zeros(similarity.shape, np.bool_)
        offered[line_of[rows[mine]], columns[mine]] = True
        alike = (similarity >= self.config.reid_similarity) & ~offered
        i, j = self._find_possible(comparison, view, fresh, alike)
        if len(i):
            afar = self._compare_pairs(comparison.detections, view, i, j).cost
            rows, columns = np.concatenate((rows, i)), np.concatenate((columns, j))
            cost, evidence = np.concatenate((cost, afar)), embeddings.fresh[rows] & known[columns]

        lines = line_of[rows]
        weight: float | FloatArray = self.config.appearance_weight
        if self.config.adaptive_appearance:
            anywhere = np.broadcast_to(known, similarity.shape)
            weight = weight * distinctness(similarity, anywhere)[lines, columns]
        cost = blend(cost, similarity[lines, columns], evidence, weight)
        return Offers(rows, columns, cost, evidence)

    def _find_possible(
        self, comparison: Comparison, view: TrackView, fresh: IntArray, alike: BoolArray
    ) -> tuple[IntArray, IntArray]:
        """Pairs that look alike, and whose detection is where motion allows the track to be.

        Args:
            comparison: the frame.
            view: its prediction.
            fresh: (F,) the detections that were embedded.
            alike: (F, T) whether they look like a track.

        Returns:
            (K,) detections and (K,) tracks.
        """
        detections = comparison.detections
        i, j = alike.nonzero()
        i = fresh[i]
        same = (detections.class_id[i] == view.class_id[j]).nonzero()[0]
        i, j = i[same], j[same]
        if not len(i):
            return i, j
        boxes = detections.xyxy[i]
        possible = view.motion.gate_distance(boxes, j) <= CHI2_95_2DOF
        possible |= place.reachable(sides(boxes), sides(view.xyxy[j]), view.lost_s[j])
        return i[possible], j[possible]

    def _assign_first(
        self, pairing: Pairing, offers: Offers, strong: BoolArray, view: TrackView
    ) -> None:
        """Stage 1; with `recent_first` the tracks seen a frame ago choose by place before all."""
        worst = min(self.config.worst_cost, REFUSED)
        confirmed = view.state == CONFIRMED
        present = confirmed | ((view.state == LOST) & self._is_recent(view))
        rows, columns, sure = offers.rows, offers.columns, strong[offers.rows]
        if self.config.recent_first:
            allowed = sure & confirmed[columns] & ~offers.has_evidence
            pairing.assign(rows, columns, offers.cost, allowed, worst)
        pairing.assign(rows, columns, offers.cost, sure & present[columns], worst)

    def _assign_by_place(
        self, pairing: Pairing, near: NearPairs, strong: BoolArray, view: TrackView
    ) -> None:
        """Stages 2 to 4, which look at place alone."""
        config, near = self.config, near[pairing.are_free(near.rows, near.columns)]
        if not len(near):
            return
        sure, columns = strong[near.rows], near.columns
        for detections, tracks, least in (
            (sure, view.state == CONFIRMED, config.hasty_iou),
            (~sure, self._admits_weak(view), config.low_match_iou),
            (sure, view.state == TENTATIVE, config.tentative_iou),
        ):
            allowed = detections & tracks[columns] & (near.similarity >= least)
            pairing.assign(near.rows, columns, near.cost, allowed)

    def _assign_returning(
        self, pairing: Pairing, comparison: Comparison, embeddings: Embeddings, view: TrackView
    ) -> None:
        """Stage 5: embedded detections and lost tracks that look alike, wherever they are."""
        rows = np.flatnonzero(pairing.detection_free & embeddings.fresh)
        lost = (view.state == LOST) & (view.lost_s <= self.tracker.reid_s)
        columns = np.flatnonzero(pairing.track_free & lost & view.gallery.known)
        if not len(rows) or not len(columns):
            return
        similarity = view.gallery.best_similarity(embeddings.vectors[rows], columns)
        least = self.config.reid_similarity + POOR_MARGIN * ~embeddings.memorable[rows]
        allowed = self.may_return(comparison, view, rows, columns)
        allowed &= similarity >= np.minimum(least, 1.0)[:, None]
        i, j = allowed.nonzero()
        cost = appearance_cost(similarity[i, j])
        pairing.assign(rows[i], columns[j], cost, np.ones(len(i), np.bool_))
