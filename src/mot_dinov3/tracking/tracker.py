"""Keeps identities: predict, associate, update, birth and death."""

from __future__ import annotations

from typing import Self

import numpy as np

from mot_dinov3.config import AssociationConfig, MotionConfig, TrackConfig, TrackerConfig
from mot_dinov3.tracking.association.base import Associator, Cheap, Scene, TrackView
from mot_dinov3.tracking.association.factory import create_associator
from mot_dinov3.tracking.association.steady import shared_shift
from mot_dinov3.tracking.confidence import UsualConfidence
from mot_dinov3.tracking.gallery import Gallery
from mot_dinov3.tracking.glimpses import Glimpses
from mot_dinov3.tracking.motion.kalman import REFERENCE_FPS, Array, MotionState
from mot_dinov3.tracking.motion.trajectory import Trajectory
from mot_dinov3.tracking.track_table import FrameSteps, Lives
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    REMOVED,
    TENTATIVE,
    Detections,
    Embeddings,
    FloatArray,
    IntArray,
    Matches,
    Tracks,
)
from mot_dinov3.values.boxes import iou_matrix

WELL_KNOWN_HITS = 3
"""Sightings after which a track's prediction says something about the camera."""


class Tracker:
    """Identities over time, from detections and whatever embeddings there are.

    `predict` comes before `update` in every frame. Ids start at 1 and are never reused.
    """

    def __init__(
        self,
        config: TrackerConfig,
        conf: float = 0.3,
        association: AssociationConfig | None = None,
        motion: MotionConfig | None = None,
        cheap_weight: float = 0.0,
    ) -> None:
        """Args: lifecycles; least score that may start a track; costs; noise; share of hints."""
        self.config = config
        self.conf = conf
        self.motion_config = motion or MotionConfig()
        association = association or AssociationConfig()
        self.associator: Associator = create_associator(association, config)
        self._cheap_weight = cheap_weight
        self._looks_back = association.momentum > 0 or self.motion_config.re_update
        self.reset()

    @classmethod
    def of(cls, config: TrackConfig) -> Self:
        """The tracker that a whole configuration asks for."""
        parts = config.association, config.motion, config.cheap.cheap_weight
        return cls(config.tracker, config.detector.conf, *parts)

    def reset(self) -> None:
        """Forget everything; ids begin at 1 again."""
        self.born = 0
        self.confirmed = 0
        self._table = Lives()
        self._motion = MotionState.start(np.empty((0, 4), np.float32), self.motion_config)
        self._trajectory: Trajectory | None = None
        if self._looks_back:
            self._trajectory = Trajectory(self._motion, anchored=self.motion_config.re_update)
        self._gallery = Gallery()
        self._glimpses = Glimpses(self._cheap_weight)
        self._usual = UsualConfidence(self.conf)
        self._steps = FrameSteps(1 / REFERENCE_FPS)

    def __len__(self) -> int:
        return len(self._table.id)

    def predict(
        self, time_s: float, detections: Detections | None = None, camera: Array | None = None
    ) -> TrackView:
        """Move all tracks to `time_s` (seconds, increasing) and say what is expected there.

        Args:
            time_s: of the new frame.
            detections: what is seen there; a jump that they share is taken for the camera's.
            camera: (2, 3) affine map of the last frame's pixels to this one's, None for still.
        """
        table, step_s = self._table, self._steps.advance(time_s)
        if gap := self._steps.skipped(self.config.max_lost_s):
            table.lose_all(step_s)
            self._bury()
        if camera is not None:
            self._motion.warp(camera)
            if self._trajectory is not None:
                self._trajectory.warp(camera)
        lost = table.state == LOST
        self._motion.predict(step_s, lost)
        if detections is not None:
            self._usual.observe(detections.score)
            self._hold_steady(detections)
        away_s = table.lost_s * lost
        table.lost_s += np.float32(0.0 if gap else step_s)
        table.staleness += 1
        return TrackView(
            id=table.id,
            hits=table.hits,
            xyxy=self._motion.xyxy(),
            class_id=table.class_id,
            state=table.state,
            lost_s=table.lost_s,
            away_s=away_s,
            staleness=table.staleness,
            motion=self._motion,
            trajectory=self._trajectory,
            gallery=self._gallery,
        )

    def look(
        self, detections: Detections, view: TrackView, glimpse: FloatArray | None = None
    ) -> Scene:
        """Compare the detections with the prediction, once for planning and association.

        `glimpse` (N, D) is cheap evidence of all of them, NaN in rows that have none.
        """
        near, cheap = self.associator.compare(detections, view), None
        if glimpse is not None:
            hint = self._glimpses.hint(near.rows, near.columns, near.cost, glimpse, view.away_s)
            near, cheap = near.dearer(hint), Cheap(glimpse, hint)
        share = self.config.strong_share
        strong, fertile = map(self._usual.threshold, (share, share * self.config.birth_share))
        score = detections.score
        return Scene(detections, near, score >= self.conf, score >= strong, score >= fertile, cheap)

    def _hold_steady(self, detections: Detections) -> None:
        """Take the shift that all detections share against the prediction for the camera's."""
        table = self._table
        if self.motion_config.steady:
            known = (table.state == CONFIRMED) & (table.hits >= WELL_KNOWN_HITS)
            sure = detections.score >= self._usual.threshold(self.config.strong_share)
            shift = shared_shift(detections.xyxy[sure], self._motion.xyxy()[known])
            if shift.any():
                self._motion.shift(shift)
                if self._trajectory is not None:
                    self._trajectory.shift(shift)

    def update(self, scene: Scene, embeddings: Embeddings, view: TrackView) -> Tracks:
        """Associate, then let tracks live, be born, get lost and die; returns who is there."""
        matches = self.associator.associate(scene, embeddings, view)
        first = not len(self)
        self._continue(matches, scene.detections, embeddings)
        self._lose(matches.unmatched_tracks)
        self._bear(self._births(matches, scene), scene.detections, embeddings, first)
        if scene.cheap is not None:
            self._glimpses.follow(self._table.detection, scene.cheap.vectors)
        self._bury()
        return self._tracks(scene.detections)

    def _continue(self, matches: Matches, detections: Detections, embeddings: Embeddings) -> None:
        table, rows, found = self._table, matches.track_rows, matches.detection_rows
        boxes, score = detections.xyxy[found], detections.score[found]
        table.detection[:] = -1
        table.fresh[:] = False
        self._move(rows, boxes, score)
        self._vote(rows, detections.class_id[found], score)
        table.score[rows] = score
        table.detection[rows] = found
        table.hits[rows] += 1
        table.misses[rows] = 0
        table.lost_s[rows] = 0.0
        ripe = rows[(table.hits[rows] >= self.config.min_hits) | (table.state[rows] == LOST)]
        self.confirmed += int((table.state[ripe] == TENTATIVE).sum())
        table.state[ripe] = CONFIRMED
        self._remember(rows, found, embeddings)

    def _move(self, rows: IntArray, boxes: FloatArray, score: FloatArray) -> None:
        """Correct the filters of tracks `rows` (M,); who was away too long begins anew."""
        table = self._table
        away = table.lost_s[rows] > self.config.max_lost_s
        here = ~away
        if self._trajectory is not None and self.motion_config.re_update:
            back = here & (table.misses[rows] > 0)
            self._trajectory.re_update(
                rows[back], boxes[back], table.misses[rows[back]], self._motion, self._steps.step_s
            )
        if away.any():
            self._motion.update(rows[here], boxes[here], score[here])
            self._motion.restart(rows[away], boxes[away])
        else:
            self._motion.update(rows, boxes, score)
        self._saw(rows, boxes)

    def _saw(self, rows: IntArray, boxes: FloatArray) -> None:
        if self._trajectory is not None:
            self._trajectory.saw(rows, boxes, self._steps.time_s, self._motion)

    def _births(self, matches: Matches, scene: Scene) -> IntArray:
        """Free rows that may start a track: fertile, and not a second box on a seen object."""
        born = matches.unmatched_detections[scene.fertile[matches.unmatched_detections]]
        seen = scene.detections.xyxy[matches.detection_rows]
        if self.config.birth_iou < 1 and len(born) and len(seen):
            over = iou_matrix(scene.detections.xyxy[born], seen).max(axis=1)
            born = born[over < self.config.birth_iou]
        return born

    def _vote(self, rows: IntArray, class_id: IntArray, score: FloatArray) -> None:
        """A track's class is the one that its detections' scores speak for in the long run."""
        table = self._table
        known, weight = table.class_id[rows], table.class_weight[rows]
        same = known == class_id
        if not same.all():
            score = np.where(same, score, -score)
        weight += score
        changed = weight < 0
        if changed.any():
            known[changed] = class_id[changed]
            table.class_id[rows] = known
        table.class_weight[rows] = np.minimum(np.abs(weight), 10.0)

    def _remember(self, rows: IntArray, found: IntArray, embeddings: Embeddings) -> None:
        """Only good embeddings of this frame enter a gallery, and only of matched tracks."""
        fresh, kept = embeddings.fresh[found], embeddings.memorable[found]
        self._gallery.add(rows[kept], embeddings.vectors[found[kept]])
        self._table.staleness[rows[fresh]] = 0
        self._table.fresh[rows[fresh]] = True

    def _lose(self, rows: IntArray) -> None:
        table = self._table
        table.misses[rows] += 1
        tentative = table.state[rows] == TENTATIVE
        table.state[rows] = np.where(tentative, REMOVED, LOST)

    def _bear(
        self, found: IntArray, detections: Detections, embeddings: Embeddings, first: bool
    ) -> None:
        n = len(found)
        if not n:
            return
        sure = first or self.config.min_hits <= 1
        self._table.extend(
            id=np.arange(self.born + 1, self.born + n + 1),
            class_id=detections.class_id[found],
            class_weight=detections.score[found],
            score=detections.score[found],
            state=np.full(n, CONFIRMED if sure else TENTATIVE, np.int8),
            hits=np.ones(n, np.int64),
            misses=np.zeros(n, np.int64),
            lost_s=np.zeros(n, np.float32),
            staleness=np.zeros(n, np.int64),
            detection=found,
            fresh=np.zeros(n, np.bool_),
        )
        self.born += n
        self.confirmed += n if sure else 0
        new = np.arange(len(self) - n, len(self))
        self._motion.extend(MotionState.start(detections.xyxy[found], self.motion_config))
        if self._trajectory is not None:
            self._trajectory.extend(n, self._motion)
        self._saw(new, detections.xyxy[found])
        self._gallery.extend(n)
        self._remember(new, found, embeddings)

    def _bury(self) -> None:
        """Remove tentative tracks that were missed and lost ones that cannot return any more."""
        table = self._table
        memory_s = max(self.config.max_lost_s, self.config.reid_s)
        patience_s = np.where(self._gallery.known, memory_s, self.config.max_lost_s)
        gone = (table.state == LOST) & (table.lost_s > patience_s)
        alive = ~(gone | (table.state == REMOVED))
        if not alive.all():
            table.keep(alive)
            self._motion.keep(alive)
            if self._trajectory is not None:
                self._trajectory.keep(alive)
            self._gallery.keep(alive)
            self._glimpses.keep(alive)

    def _tracks(self, detections: Detections) -> Tracks:
        """Everyone seen now, and the lost ones whose predicted place still means something."""
        table = self._table
        seen = table.detection >= 0
        shown = (seen | (table.lost_s <= self.config.max_lost_s)).nonzero()[0]
        xyxy, detection = self._motion.xyxy()[shown], table.detection[shown]
        seen = detection >= 0
        xyxy[seen] = detections.xyxy[detection[seen]]
        return Tracks(
            id=table.id[shown],
            xyxy=xyxy,
            score=table.score[shown],
            class_id=table.class_id[shown],
            state=table.state[shown],
            fresh=table.fresh[shown],
            detection=detection,
        )
