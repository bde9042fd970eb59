"""The default association: overlap and look, in four stages.

1. Confident detections against every track, by IoU and, where a detection was embedded in this
   frame, by cosine.
2. Confident detections left over against the tracks left over that were there a frame ago, at a
   lower IoU: at few frames a second a newcomer outruns its first prediction.
3. Weak detections against the tracks left over that were there a frame ago, by IoU alone
   (Zhang et al. 2022).
4. Confident detections left over against lost tracks, by cosine, where the motion allows it.
"""

from __future__ import annotations

import numpy as np

from mot_dinov3.association.assign import REFUSED, Assign, greedy, hungarian
from mot_dinov3.association.base import Scene, TrackView
from mot_dinov3.association.costs import appearance_cost, blend
from mot_dinov3.config import TrackerConfig
from mot_dinov3.motion import CHI2_95_2DOF
from mot_dinov3.structures import (
    BoolArray,
    Embeddings,
    FloatArray,
    IntArray,
    Matches,
    TrackState,
)

HASTY_IOU = 0.1
"""Least IoU of stage 2; lower values join strangers."""

SIZES_PER_S = 3.0
"""How far an identity may have gone while unseen, in box sizes a second."""

SIZE_RATIO = 2.0
"""How much larger or smaller a returning identity may be."""


class _Pairing:
    """Collects matches stage by stage; what is taken is not offered again."""

    def __init__(self, n_detections: int, n_tracks: int) -> None:
        self.detection_free = np.ones(n_detections, np.bool_)
        self.track_free = np.ones(n_tracks, np.bool_)
        self.detections: list[IntArray] = []
        self.tracks: list[IntArray] = []
        self.costs: list[FloatArray] = []

    def take(self, detections: IntArray, tracks: IntArray, cost: FloatArray) -> None:
        self.detection_free[detections] = False
        self.track_free[tracks] = False
        self.detections.append(detections)
        self.tracks.append(tracks)
        self.costs.append(cost)

    def matches(self) -> Matches:
        nothing = np.empty(0, np.int64)
        return Matches(
            track_rows=np.concatenate((nothing, *self.tracks)),
            detection_rows=np.concatenate((nothing, *self.detections)),
            cost=np.concatenate((np.empty(0, np.float32), *self.costs)),
            unmatched_tracks=np.flatnonzero(self.track_free),
            unmatched_detections=np.flatnonzero(self.detection_free),
        )


class IouCosineAssociation:
    """Overlap first, look where there is evidence of it."""

    def __init__(self, config: TrackerConfig) -> None:
        self.config = config
        self.assign: Assign = greedy if config.no_hungarian else hungarian

    def associate(self, scene: Scene, embeddings: Embeddings, view: TrackView) -> Matches:
        """One frame's matches; each track and each detection at most once."""
        pairing = _Pairing(len(scene.strong), len(view))
        if len(view) and len(scene.strong):
            near = view.lost_s <= self.config.max_lost_s
            self._strong(pairing, scene, embeddings, view, near)
            self._hasty(pairing, scene, view)
            self._weak(pairing, scene, view)
            self._returning(pairing, scene, embeddings, view)
        return pairing.matches()

    def place_cost(self, scene: Scene, view: TrackView) -> FloatArray:
        """(N, T) 1 - IoU of every pair that a stage without looks would take, else `REFUSED`.

        What only a later stage would take costs 1 more: the first one chooses before it.
        """
        strong, lost = scene.strong[:, None], view.state == TrackState.LOST
        least = np.full(len(view), min(HASTY_IOU, self.config.match_iou), np.float32)
        least[lost] = self.config.match_iou
        least[lost & (view.lost_s > self.config.max_lost_s)] = np.inf
        weak = np.where(view.state == TrackState.CONFIRMED, self.config.low_match_iou, np.inf)
        allowed = scene.iou >= np.where(strong, least[None, :], weak[None, :])
        late = ~strong | (scene.iou < self.config.match_iou)
        return np.where(allowed, 1.0 - scene.iou + late, REFUSED)

    def may_return(self, scene: Scene, view: TrackView, columns: IntArray) -> BoolArray:
        """(N, L) whether a detection may return as a lost track of `columns` (L,) by its looks."""
        if not len(columns) or not len(scene.strong):
            return np.zeros((len(scene.strong), len(columns)), np.bool_)
        boxes, lost_s = scene.detections.xyxy, view.lost_s[columns]
        allowed = reachable(boxes, view.xyxy[columns], lost_s)
        allowed &= scene.detections.class_id[:, None] == view.class_id[columns][None, :]
        remembered = view.gallery.known[columns] & (lost_s <= self.config.reid_s)
        out: BoolArray = allowed & remembered[None, :] & scene.strong[:, None]
        return out

    def _strong(
        self,
        pairing: _Pairing,
        scene: Scene,
        embeddings: Embeddings,
        view: TrackView,
        near: BoolArray,
    ) -> None:
        rows, columns = np.flatnonzero(scene.strong), np.flatnonzero(near)
        iou = scene.iou[np.ix_(rows, columns)]
        allowed = iou >= self.config.match_iou
        cost = 1.0 - iou
        fresh = np.flatnonzero(embeddings.fresh[rows])
        if len(fresh) and view.gallery.dim:
            similarity = view.gallery.similarity(embeddings.vectors[rows[fresh]])[:, columns]
            evidence = np.broadcast_to(view.gallery.known[columns], similarity.shape)
            cost[fresh] = blend(iou[fresh], similarity, evidence, self.config.appearance_weight)
            allowed[fresh] |= self._familiar(scene, view, rows[fresh], columns, similarity)
        self._settle(pairing, np.where(allowed, cost, REFUSED), rows, columns)

    def _familiar(
        self,
        scene: Scene,
        view: TrackView,
        rows: IntArray,
        columns: IntArray,
        similarity: FloatArray,
    ) -> BoolArray:
        """(n, m) pairs that barely overlap, but look alike and are where motion allows."""
        same_class = scene.detections.class_id[rows][:, None] == view.class_id[columns][None, :]
        out: BoolArray = (similarity >= self.config.reid_similarity) & same_class
        i, j = np.nonzero(out)
        distance = view.motion.gate_distance(scene.detections.xyxy[rows[i]], columns[j])
        out[i, j] = distance <= CHI2_95_2DOF
        return out

    def _hasty(self, pairing: _Pairing, scene: Scene, view: TrackView) -> None:
        rows = np.flatnonzero(pairing.detection_free & scene.strong)
        columns = np.flatnonzero(pairing.track_free & (view.state != TrackState.LOST))
        self._by_place(pairing, scene, rows, columns, min(HASTY_IOU, self.config.match_iou))

    def _weak(self, pairing: _Pairing, scene: Scene, view: TrackView) -> None:
        rows = np.flatnonzero(~scene.strong)
        columns = np.flatnonzero(pairing.track_free & (view.state == TrackState.CONFIRMED))
        self._by_place(pairing, scene, rows, columns, self.config.low_match_iou)

    def _by_place(
        self, pairing: _Pairing, scene: Scene, rows: IntArray, columns: IntArray, least_iou: float
    ) -> None:
        if len(rows) and len(columns):
            iou = scene.iou[np.ix_(rows, columns)]
            cost = np.where(iou >= least_iou, 1.0 - iou, REFUSED)
            self._settle(pairing, cost, rows, columns)

    def _returning(
        self, pairing: _Pairing, scene: Scene, embeddings: Embeddings, view: TrackView
    ) -> None:
        rows = np.flatnonzero(pairing.detection_free & scene.strong & embeddings.fresh)
        lost = (view.state == TrackState.LOST) & (view.lost_s <= self.config.reid_s)
        columns = np.flatnonzero(pairing.track_free & lost & view.gallery.known)
        if not len(rows) or not len(columns):
            return
        similarity = view.gallery.best_similarity(embeddings.vectors[rows], columns)
        allowed = (similarity >= self.config.reid_similarity) & reachable(
            scene.detections.xyxy[rows], view.xyxy[columns], view.lost_s[columns]
        )
        allowed &= scene.detections.class_id[rows][:, None] == view.class_id[columns][None, :]
        cost = np.where(allowed, appearance_cost(similarity), REFUSED)
        self._settle(pairing, cost, rows, columns)

    def _settle(
        self, pairing: _Pairing, cost: FloatArray, rows: IntArray, columns: IntArray
    ) -> None:
        i, j = self.assign(cost)
        pairing.take(rows[i], columns[j], cost[i, j].astype(np.float32))


def reachable(xyxy: FloatArray, predicted: FloatArray, lost_s: FloatArray) -> BoolArray:
    """(N, T) whether an identity lost for `lost_s` (T,) can be where a box is now.

    The reach grows with time at `SIZES_PER_S`, and the size may change by `SIZE_RATIO`.
    """
    size = np.sqrt(np.maximum((xyxy[:, 2:] - xyxy[:, :2]).prod(axis=1), 1.0))
    past = np.sqrt(np.maximum((predicted[:, 2:] - predicted[:, :2]).prod(axis=1), 1.0))
    centre = (xyxy[:, :2] + xyxy[:, 2:]) * 0.5
    expected = (predicted[:, :2] + predicted[:, 2:]) * 0.5
    far = np.linalg.norm(centre[:, None] - expected[None], axis=2)
    reach = past * (1.0 + SIZES_PER_S * lost_s)
    ratio = size[:, None] / past[None, :]
    out: BoolArray = (far <= reach[None]) & (ratio <= SIZE_RATIO) & (ratio >= 1 / SIZE_RATIO)
    return out
