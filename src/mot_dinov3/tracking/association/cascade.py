"""The default association: place first, looks where there is evidence of them, in stages.

1. Confident detections against confirmed tracks: those seen a frame ago, then all that are not
   lost for too long.
2. Confident detections left over against tracks left over that were there a frame ago, at a
   lower overlap: at few frames a second a newcomer outruns its first prediction.
3. Weak detections against the tracks left over that were there a moment ago (Zhang et al. 2022).
4. Confident detections left over against tracks on probation.
5. Confident detections left over against lost tracks, by cosine, where the motion allows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.config import AssociationConfig, TrackerConfig
from mot_dinov3.tracking.assignment import REFUSED, greedy, hungarian
from mot_dinov3.tracking.association import place
from mot_dinov3.tracking.association.base import Near, Scene, TrackView
from mot_dinov3.tracking.association.costs import appearance_cost, blend, distinctness
from mot_dinov3.tracking.association.pairing import Pairing
from mot_dinov3.tracking.association.returning import may_return, reachable
from mot_dinov3.tracking.motion.kalman import CHI2_95_2DOF
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
        cost: (K,) float32 of place and looks.
        told: (K,) bool, looks had a say.
    """

    rows: IntArray
    columns: IntArray
    cost: FloatArray
    told: BoolArray


class CascadeAssociation:
    """Sure pairs first, then the likely ones, then whoever is left."""

    def __init__(self, config: AssociationConfig, lives: TrackerConfig) -> None:
        self.config = config
        self.lives = lives
        self.assign = greedy if config.no_hungarian else hungarian

    def compare(self, detections: Detections, view: TrackView) -> Near:
        """By place alone: overlap, and what the configuration adds to it."""
        share = place.growth(view.away_s, self.config)
        rows, columns = place.touching(sides(detections.xyxy), sides(view.xyxy), share)
        near = self._pairs(detections, view, rows, columns)
        foreign = detections.class_id[rows] != view.class_id[columns]
        return near[~foreign | (near.iou >= CLASS_CHANGE_IOU)] if foreign.any() else near

    def _pairs(
        self, detections: Detections, view: TrackView, rows: IntArray, columns: IntArray
    ) -> Near:
        """What place says of pairs (K,), whether they touch or not."""
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
        return Near(rows, columns, overlap.plain, similarity, cost.astype(np.float32, copy=False))

    def associate(self, scene: Scene, embeddings: Embeddings, view: TrackView) -> Matches:
        """One frame's matches; each track and each detection at most once."""
        pairing = Pairing(len(scene.strong), len(view), self.assign)
        if not len(view) or not len(scene.strong):
            return pairing.matches()
        strong = scene.strong | embeddings.fresh
        self._first(pairing, self._offers(scene, embeddings, view), strong, view)
        if pairing.anybody_left():
            self._by_place(pairing, scene.near, strong, view)
            self._returning(pairing, scene, embeddings, view)
        return pairing.matches()

    def place_cost(self, scene: Scene, view: TrackView) -> FloatArray:
        """(K,) cost of every near pair that a stage without looks would take, else infinity.

        What only a stage after the first would take costs 1 more: that one chooses before it.
        """
        config, near, never = self.config, scene.near, np.float32(np.inf)
        tentative = view.state == TENTATIVE
        least = np.where(self._lately(view), np.float32(config.match_iou), never)
        least[view.state == CONFIRMED] = min(config.hasty_iou, config.match_iou)
        least[tentative] = config.tentative_iou
        weak = np.where(self._found_by_weak(view), np.float32(config.low_match_iou), never)
        sure, columns = scene.strong[near.rows], near.columns
        late = (near.similarity < config.match_iou) | ~sure
        late |= tentative[columns] | (near.cost >= config.worst_cost)
        allowed = near.similarity >= np.where(sure, least[columns], weak[columns])
        return np.where(allowed, near.cost + late, never)

    def may_return(
        self, scene: Scene, view: TrackView, rows: IntArray, columns: IntArray
    ) -> BoolArray:
        """(n, L) whether detections `rows` may return as lost tracks `columns` by their looks."""
        return may_return(scene, view, rows, columns, self.lives.reid_s)

    def _lately(self, view: TrackView) -> BoolArray:
        """(T,) seen so lately that its predicted place means something."""
        out: BoolArray = view.lost_s <= self.lives.max_lost_s
        return out

    def _found_by_weak(self, view: TrackView) -> BoolArray:
        """(T,) confirmed, and unseen for so short a time that a weak detection may be it."""
        known = (view.state == CONFIRMED) | (view.state == LOST)
        out: BoolArray = known & (view.away_s <= self.config.low_window_s + SAME_TIME_S)
        return out

    def _offers(self, scene: Scene, embeddings: Embeddings, view: TrackView) -> Offers:
        """What the first stage may choose from: who is near enough, or familiar."""
        near = scene.near
        close = (near.similarity >= self.config.match_iou).nonzero()[0]
        rows, columns, cost = near.rows[close], near.columns[close], near.cost[close]
        fresh = embeddings.fresh.nonzero()[0]
        if not len(fresh) or not view.gallery.dim:
            return Offers(rows, columns, cost, np.zeros(len(rows), np.bool_))
        similarity = view.gallery.similarity(embeddings.vectors[fresh])
        at = embeddings.fresh.cumsum() - 1
        mine = embeddings.fresh[rows]
        seen = np.zeros(similarity.shape, np.bool_)
        seen[at[rows[mine]], columns[mine]] = True
        i, j = self._familiar(scene, view, fresh, similarity, ~seen)
        if len(i):
            afar = self._pairs(scene.detections, view, i, j).cost
            rows, columns = np.concatenate((rows, i)), np.concatenate((columns, j))
            cost, mine = np.concatenate((cost, afar)), embeddings.fresh[rows]
        told = mine & view.gallery.known[columns]
        if scene.cheap is not None:  # real looks take the place of cheap ones
            hinted = told[: len(close)].nonzero()[0]
            cost = cost.copy()
            cost[hinted] -= scene.cheap.hint[close[hinted]]
        weight: float | FloatArray = self.config.appearance_weight
        if self.config.adaptive_appearance:
            evidence = np.broadcast_to(view.gallery.known, similarity.shape)
            weight = weight * distinctness(similarity, evidence)[at[rows], columns]
        looks = similarity[at[rows], columns]
        return Offers(rows, columns, blend(cost, looks, told, weight), told)

    def _familiar(
        self,
        scene: Scene,
        view: TrackView,
        fresh: IntArray,
        similarity: FloatArray,
        asked: BoolArray,
    ) -> tuple[IntArray, IntArray]:
        """Pairs that look alike and are where motion allows.

        Of the rows `fresh` (F,), whose `similarity` (F, T) is known, those `asked` (F, T) for.
        """
        detections = scene.detections
        i, j = ((similarity >= self.config.reid_similarity) & asked).nonzero()
        i = fresh[i]
        same = (detections.class_id[i] == view.class_id[j]).nonzero()[0]
        i, j = i[same], j[same]
        if not len(i):
            return i, j
        boxes = detections.xyxy[i]
        possible = view.motion.gate_distance(boxes, j) <= CHI2_95_2DOF
        possible |= reachable(sides(boxes), sides(view.xyxy[j]), view.lost_s[j])
        return i[possible], j[possible]

    def _first(self, pairing: Pairing, offers: Offers, strong: BoolArray, view: TrackView) -> None:
        """Confident detections against all tracks that are not lost for too long."""
        worst = min(self.config.worst_cost, REFUSED)
        recent = view.state == CONFIRMED
        near = recent | ((view.state == LOST) & self._lately(view))
        rows, columns, sure = offers.rows, offers.columns, strong[offers.rows]
        if self.config.recent_first:
            allowed = sure & recent[columns] & ~offers.told
            pairing.settle(rows, columns, offers.cost, allowed, worst)
        pairing.settle(rows, columns, offers.cost, sure & near[columns], worst)

    def _by_place(self, pairing: Pairing, near: Near, strong: BoolArray, view: TrackView) -> None:
        """The stages that look at place alone, one after another."""
        config, near = self.config, near[pairing.open(near.rows, near.columns)]
        if not len(near):
            return
        sure, columns = strong[near.rows], near.columns
        for detections, tracks, least in (
            (sure, view.state == CONFIRMED, config.hasty_iou),
            (~sure, self._found_by_weak(view), config.low_match_iou),
            (sure, view.state == TENTATIVE, config.tentative_iou),
        ):
            allowed = detections & tracks[columns] & (near.similarity >= least)
            pairing.settle(near.rows, columns, near.cost, allowed)

    def _returning(
        self, pairing: Pairing, scene: Scene, embeddings: Embeddings, view: TrackView
    ) -> None:
        rows = np.flatnonzero(pairing.detection_free & embeddings.fresh)
        lost = (view.state == LOST) & (view.lost_s <= self.lives.reid_s)
        columns = np.flatnonzero(pairing.track_free & lost & view.gallery.known)
        if not len(rows) or not len(columns):
            return
        similarity = view.gallery.best_similarity(embeddings.vectors[rows], columns)
        least = self.config.reid_similarity + POOR_MARGIN * ~embeddings.memorable[rows]
        allowed = self.may_return(scene, view, rows, columns)
        allowed &= similarity >= np.minimum(least, 1.0)[:, None]
        i, j = allowed.nonzero()
        cost = appearance_cost(similarity[i, j])
        pairing.settle(rows[i], columns[j], cost, np.ones(len(i), np.bool_))
