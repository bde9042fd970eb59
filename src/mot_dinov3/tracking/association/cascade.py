"""The default association: place first, appearance where there is evidence of it, in stages.

Every stage matches what the stages before it left free (see `Pairing`):

1. Strong detections with confirmed tracks, and with lost ones whose predicted place still means
   something. Pairs are near each other, or look alike and are possible by motion.
2. Strong detections with confirmed tracks, at a lower overlap: at few frames a second a new object
   outruns its first prediction.
3. Weak detections with tracks that were seen a moment ago (Zhang et al. 2022).
4. Strong detections with tentative tracks.
5. Embedded detections with lost tracks, by cosine, where they can have got to.

A detection is strong if its score is high or if it was embedded, else weak. A confirmed track was
seen in the frame before: the first frame that misses it makes it lost.

Pairs are given as arrays: pair k is the detection `rows[k]` and the track `columns[k]`.
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
from mot_dinov3.values.boxes import sides

CLASS_CHANGE_IOU = 0.7
"""A detection of another class continues a track only where the boxes agree this well."""

POOR_MARGIN = 0.1
"""How much more a bad crop must look like a lost track: half a person looks like many."""

SAME_TIME_S = 1e-4
"""Times in seconds that differ by less are the same time, rounded."""


@dataclass(frozen=True, slots=True)
class Candidates:
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
        # What was embedded has its appearance to speak for it, however low its score.
        strong = comparison.strong | embeddings.fresh
        candidates = self._collect_candidates(comparison, embeddings, view)
        self._assign_first(pairing, candidates, strong, view)
        if pairing.has_free_pairs():
            self._assign_by_place(pairing, comparison.near, strong, view)
            self._assign_returning(pairing, comparison, embeddings, view)
        return pairing.matches()

    def _assign_first(
        self, pairing: Pairing, candidates: Candidates, strong: BoolArray, view: TrackView
    ) -> None:
        """Stage 1; with `recent_first`, confirmed tracks choose by place before lost ones do."""
        worst = min(self.config.worst_cost, REFUSED)
        confirmed = view.state == CONFIRMED
        present = confirmed | ((view.state == LOST) & self._is_recent(view))
        rows, columns, cost = candidates.rows, candidates.columns, candidates.cost
        from_strong = strong[rows]
        if self.config.recent_first:
            allowed = from_strong & confirmed[columns] & ~candidates.has_evidence
            pairing.assign(rows, columns, cost, allowed, worst)
        pairing.assign(rows, columns, cost, from_strong & present[columns], worst)

    def _assign_by_place(
        self, pairing: Pairing, near: NearPairs, strong: BoolArray, view: TrackView
    ) -> None:
        """Stages 2 to 4, which look at place alone."""
        config, near = self.config, near[pairing.are_free(near.rows, near.columns)]
        if not len(near):
            return
        from_strong, columns = strong[near.rows], near.columns
        for detections, tracks, least in (
            (from_strong, view.state == CONFIRMED, config.hasty_iou),
            (~from_strong, self._admits_weak(view), config.low_match_iou),
            (from_strong, view.state == TENTATIVE, config.tentative_iou),
        ):
            allowed = detections & tracks[columns] & (near.overlap >= least)
            pairing.assign(near.rows, columns, near.cost, allowed)

    def _assign_returning(
        self, pairing: Pairing, comparison: Comparison, embeddings: Embeddings, view: TrackView
    ) -> None:
        """Stage 5, which looks at appearance alone: lost tracks may return anywhere in reach."""
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
        pairing.assign(rows[i], columns[j], cost, allowed[i, j])

    def _collect_candidates(
        self, comparison: Comparison, embeddings: Embeddings, view: TrackView
    ) -> Candidates:
        """Collect what the first stage may choose from: pairs that are near, or look alike."""
        near, known = comparison.near, view.gallery.known
        close = (near.overlap >= self.config.match_iou).nonzero()[0]
        rows, columns, cost = near.rows[close], near.columns[close], near.cost[close]
        fresh = embeddings.fresh.nonzero()[0]
        if not len(fresh) or not view.gallery.dim:
            return Candidates(rows, columns, cost, np.zeros(len(rows), np.bool_))

        # Where both sides have an embedding, it replaces the cheap evidence in the cost.
        is_fresh = embeddings.fresh[rows]
        evidence = is_fresh & known[columns]
        if comparison.cheap is not None:
            cost[evidence] -= comparison.cheap.added_cost[close[evidence]]

        # Add the pairs that look alike and are not near. `similarity` (F, T) has a line for each
        # detection that was embedded; `line_of` (N,) means nothing for the others.
        similarity = view.gallery.similarity(embeddings.vectors[fresh])
        line_of = embeddings.fresh.cumsum() - 1
        alike = similarity >= self.config.reid_similarity
        alike[line_of[rows[is_fresh]], columns[is_fresh]] = False
        far_rows, far_columns = self._find_possible(comparison, view, fresh, alike)
        if len(far_rows):
            far = place.compare_pairs(
                comparison.detections, view, far_rows, far_columns, self.config
            )
            rows, columns = np.concatenate((rows, far_rows)), np.concatenate((columns, far_columns))
            cost = np.concatenate((cost, far.cost))
            evidence = embeddings.fresh[rows] & known[columns]

        lines = line_of[rows]
        weight = self._weigh_appearance(similarity, known, lines, columns)
        cost = blend(cost, similarity[lines, columns], evidence, weight)
        return Candidates(rows, columns, cost, evidence)

    def _find_possible(
        self, comparison: Comparison, view: TrackView, fresh: IntArray, alike: BoolArray
    ) -> tuple[IntArray, IntArray]:
        """Find the pairs that look alike, of one class, and where motion allows the track to be.

        Args:
            comparison: the frame.
            view: its prediction.
            fresh: (F,) the detections that were embedded.
            alike: (F, T) whether they look like a track.

        Returns:
            (K,) detections and (K,) tracks.
        """
        detections = comparison.detections
        lines, columns = alike.nonzero()
        rows = fresh[lines]
        same_class = (detections.class_id[rows] == view.class_id[columns]).nonzero()[0]
        rows, columns = rows[same_class], columns[same_class]
        if not len(rows):
            return rows, columns
        boxes, predicted = detections.xyxy[rows], view.xyxy[columns]
        possible = view.motion.gate_distance(boxes, columns) <= CHI2_95_2DOF
        possible |= place.is_reachable(sides(boxes), sides(predicted), view.lost_s[columns])
        return rows[possible], columns[possible]

    def _weigh_appearance(
        self, similarity: FloatArray, known: BoolArray, lines: IntArray, columns: IntArray
    ) -> float | FloatArray:
        """Share of appearance in the costs of pairs, one for all or (K,).

        Args:
            similarity: (F, T) cosines of embedded detections with the galleries.
            known: (T,) tracks that have a gallery.
            lines: (K,) the line of each pair in `similarity`.
            columns: (K,) its track.
        """
        weight = self.config.appearance_weight
        if not self.config.adaptive_appearance:
            return weight
        anywhere = np.broadcast_to(known, similarity.shape)
        return weight * distinctness(similarity, anywhere)[lines, columns]

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

        The detection must be eligible. The track must have a gallery, be of the same class, be in
        reach, and be lost for no longer than the window of re-identification.
        """
        if not len(rows) or not len(columns):
            return np.zeros((len(rows), len(columns)), np.bool_)
        detections, lost_s = comparison.detections, view.lost_s[columns]
        seen, past = sides(detections.xyxy[rows]), sides(view.xyxy[columns])
        allowed = place.is_reachable(seen[:, :, None], past[:, None], lost_s)
        allowed &= detections.class_id[rows, None] == view.class_id[columns]
        allowed &= view.gallery.known[columns] & (lost_s <= self.tracker.reid_s)
        allowed &= comparison.eligible[rows, None]
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
