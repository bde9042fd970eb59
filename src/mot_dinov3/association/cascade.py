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

import numpy as np

from mot_dinov3.association import place
from mot_dinov3.association.assign import REFUSED, greedy, hungarian
from mot_dinov3.association.base import Place, Scene, TrackView
from mot_dinov3.association.costs import appearance_cost, blend, distinctness
from mot_dinov3.association.pairing import Pairing
from mot_dinov3.association.returning import may_return, reachable
from mot_dinov3.boxes import xyxy_to_cxcywh
from mot_dinov3.config import AssociationConfig, TrackerConfig
from mot_dinov3.motion.kalman import CHI2_95_2DOF
from mot_dinov3.structures import (
    BoolArray,
    Detections,
    Embeddings,
    FloatArray,
    IntArray,
    Matches,
    TrackState,
)

POOR_MARGIN = 0.1
"""How much more a bad crop must look like a lost track: half a person looks like many."""

SAME_TIME_S = 1e-4
"""Times that differ by less are the same time, rounded."""


class CascadeAssociation:
    """Sure pairs first, then the likely ones, then whoever is left."""

    def __init__(self, config: AssociationConfig, lives: TrackerConfig) -> None:
        self.config = config
        self.lives = lives
        self.assign = greedy if config.no_hungarian else hungarian

    def compare(self, detections: Detections, view: TrackView) -> Place:
        """All pairs by place alone: overlap, and what the configuration adds to it."""
        config, boxes = self.config, detections.xyxy
        similarity = place.place_similarity(boxes, view.xyxy, view.away_s, config)
        score = detections.score[:, None]
        cost = 1.0 - similarity * (1.0 - config.score_fusion * (1.0 - score))
        if config.momentum > 0 and len(view):
            seen = xyxy_to_cxcywh(boxes).astype(np.float64)
            earlier, known = view.trajectory.earlier(config.momentum_s)
            turn = place.turn(seen, view.trajectory.last, earlier)
            turn = np.where(known[None], turn, place.UNSURE_TURN)
            cost += config.momentum * score * (turn - place.UNSURE_TURN)
        return Place(similarity, cost.astype(np.float32, copy=False))

    def associate(self, scene: Scene, embeddings: Embeddings, view: TrackView) -> Matches:
        """One frame's matches; each track and each detection at most once."""
        pairing = Pairing(len(scene.strong), len(view), self.assign)
        if len(view) and len(scene.strong):
            cost, evidence = self._with_looks(scene, embeddings, view)
            strong = scene.strong | embeddings.fresh
            recent = view.state == TrackState.CONFIRMED
            near = recent | ((view.state == TrackState.LOST) & self._near(view))
            if self.config.recent_first:
                self._first(pairing, np.where(evidence, REFUSED, cost), strong, recent)
            self._first(pairing, cost, strong, near)
            self._by_place(pairing, scene, strong, recent, self.config.hasty_iou)
            late = self._found_by_weak(view)
            self._by_place(pairing, scene, ~strong, late, self.config.low_match_iou)
            tentative = view.state == TrackState.TENTATIVE
            self._by_place(pairing, scene, strong, tentative, self.config.tentative_iou)
            self._returning(pairing, scene, embeddings, view)
        return pairing.matches()

    def place_cost(self, scene: Scene, view: TrackView) -> FloatArray:
        """(N, T) cost of every pair that a stage without looks would take, else `REFUSED`.

        What only a stage after the first would take costs 1 more: that one chooses before it.
        """
        config, never = self.config, np.float32(np.inf)
        recent = view.state == TrackState.CONFIRMED
        tentative = view.state == TrackState.TENTATIVE
        least = np.where(self._near(view), np.float32(config.match_iou), never)
        least[recent] = min(config.hasty_iou, config.match_iou)
        least[tentative] = config.tentative_iou
        weak = np.where(self._found_by_weak(view), np.float32(config.low_match_iou), never)
        allowed = scene.place.similarity >= np.where(scene.strong[:, None], least, weak)
        late = (scene.place.similarity < config.match_iou) | ~scene.strong[:, None]
        late = late | tentative | (scene.place.cost >= config.worst_cost)
        return np.where(allowed, scene.place.cost + late, REFUSED)

    def may_return(self, scene: Scene, view: TrackView, columns: IntArray) -> BoolArray:
        """(N, L) whether a detection may return as a lost track of `columns` (L,) by its looks."""
        return may_return(scene, view, columns, self.lives.reid_s)

    def _near(self, view: TrackView) -> BoolArray:
        """(T,) seen so lately that its predicted place means something."""
        out: BoolArray = view.lost_s <= self.lives.max_lost_s
        return out

    def _found_by_weak(self, view: TrackView) -> BoolArray:
        """(T,) confirmed, and unseen for so short a time that a weak detection may be it."""
        known = (view.state == TrackState.CONFIRMED) | (view.state == TrackState.LOST)
        out: BoolArray = known & (view.away_s <= self.config.low_window_s + SAME_TIME_S)
        return out

    def _with_looks(
        self, scene: Scene, embeddings: Embeddings, view: TrackView
    ) -> tuple[FloatArray, BoolArray]:
        """Costs of all pairs, `REFUSED` outside the gates, and where looks tell; (N, T) both."""
        cost = scene.place.cost.copy()
        possible = scene.place.similarity >= self.config.match_iou
        told = np.zeros(cost.shape, np.bool_)
        fresh = np.flatnonzero(embeddings.fresh)
        if len(fresh) and view.gallery.dim:
            similarity = view.gallery.similarity(embeddings.vectors[fresh])
            evidence = np.broadcast_to(view.gallery.known, similarity.shape)
            weight: float | FloatArray = self.config.appearance_weight
            if self.config.adaptive_appearance:
                weight = weight * distinctness(similarity, evidence)
            cost[fresh] = blend(cost[fresh], similarity, evidence, weight)
            possible[fresh] |= self._familiar(scene, view, fresh, similarity)
            told[fresh] = evidence
        return np.where(possible, cost, REFUSED), told

    def _familiar(
        self, scene: Scene, view: TrackView, rows: IntArray, similarity: FloatArray
    ) -> BoolArray:
        """(n, T) pairs that barely overlap, but look alike and are where motion allows."""
        same_class = scene.detections.class_id[rows][:, None] == view.class_id[None, :]
        out: BoolArray = (similarity >= self.config.reid_similarity) & same_class
        i, j = np.nonzero(out)
        boxes = scene.detections.xyxy[rows]
        expected = view.motion.gate_distance(boxes[i], j) <= CHI2_95_2DOF
        out[i, j] = expected | reachable(boxes, view.xyxy, view.lost_s)[i, j]
        return out

    def _first(
        self, pairing: Pairing, cost: FloatArray, detections: BoolArray, tracks: BoolArray
    ) -> None:
        rows = np.flatnonzero(pairing.detection_free & detections)
        columns = np.flatnonzero(pairing.track_free & tracks)
        pairing.settle(cost[np.ix_(rows, columns)], rows, columns, self.config.worst_cost)

    def _by_place(
        self,
        pairing: Pairing,
        scene: Scene,
        detections: BoolArray,
        tracks: BoolArray,
        least: float,
    ) -> None:
        rows = np.flatnonzero(pairing.detection_free & detections)
        columns = np.flatnonzero(pairing.track_free & tracks)
        pairs = np.ix_(rows, columns)
        allowed = scene.place.similarity[pairs] >= least
        pairing.settle(np.where(allowed, scene.place.cost[pairs], REFUSED), rows, columns)

    def _returning(
        self, pairing: Pairing, scene: Scene, embeddings: Embeddings, view: TrackView
    ) -> None:
        rows = np.flatnonzero(pairing.detection_free & embeddings.fresh)
        lost = (view.state == TrackState.LOST) & (view.lost_s <= self.lives.reid_s)
        columns = np.flatnonzero(pairing.track_free & lost & view.gallery.known)
        if not len(rows) or not len(columns):
            return
        similarity = view.gallery.best_similarity(embeddings.vectors[rows], columns)
        least = self.config.reid_similarity + POOR_MARGIN * ~embeddings.memorable[rows]
        allowed = self.may_return(scene, view, columns)[rows]
        allowed &= similarity >= np.minimum(least, 1.0)[:, None]
        cost = np.where(allowed, appearance_cost(similarity), REFUSED)
        pairing.settle(cost, rows, columns)
