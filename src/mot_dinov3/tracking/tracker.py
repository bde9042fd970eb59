"""The tracker: it predicts, associates, updates, initiates and removes tracks."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np

from mot_dinov3.config import AssociationConfig, MotionConfig, TrackConfig, TrackerConfig
from mot_dinov3.tracking.arbitration import Arbiter, find_disputed
from mot_dinov3.tracking.association.base import Associator, CheapEvidence, Comparison, TrackView
from mot_dinov3.tracking.association.border import cut_at_border
from mot_dinov3.tracking.association.factory import create_associator
from mot_dinov3.tracking.births import find_births
from mot_dinov3.tracking.calibration import Calibration
from mot_dinov3.tracking.camera.steady import estimate_shift
from mot_dinov3.tracking.cheap_evidence import CheapGallery
from mot_dinov3.tracking.confidence import UsualConfidence
from mot_dinov3.tracking.gallery import Gallery
from mot_dinov3.tracking.motion.base import REFERENCE_FPS
from mot_dinov3.tracking.movement import Movement
from mot_dinov3.tracking.track_table import FrameSteps, TrackTable
from mot_dinov3.tracking.unseen import UnseenTracks
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    TENTATIVE,
    Detections,
    DoubleArray,
    Embeddings,
    FloatArray,
    IntArray,
    Matches,
    SimilarityPrior,
    Tracks,
)
from mot_dinov3.values.run_facts import AppearanceFacts

WELL_KNOWN_HITS = 3
"""Matched frames after which a track's prediction says something about the camera."""


class Tracker:
    """Tracks over time, from detections and whatever embeddings there are.

    In every frame `predict` comes first, then `compare`, then `update`. Ids start at 1, are given
    when a track is confirmed, and are never reused; until then it has a negative one.

    Attributes:
        initiated: how many tracks there were so far.
        confirmed: how many of them were ever confirmed.
        associator: decides which detection continues which track.
    """

    def __init__(
        self,
        config: TrackerConfig,
        conf: float = 0.3,
        association: AssociationConfig | None = None,
        motion: MotionConfig | None = None,
        cheap_weight: float = 0.0,
        prior: SimilarityPrior | None = None,
    ) -> None:
        """Build a tracker without tracks.

        Args:
            config: when tracks are initiated, confirmed and removed.
            conf: least score of a detection that may be embedded or initiate a track.
            association: gates and costs.
            motion: the motion model and its noise.
            cheap_weight: share of cheap evidence in the cost of a pair, in [0, 1].
            prior: what is known of the embedder's cosines before the run.
        """
        self.config = config
        self.conf = conf
        self.motion_config = motion or MotionConfig()
        association = association or AssociationConfig()
        self._prior, self._gate = prior or SimilarityPrior(), association.gate
        self.associator: Associator = create_associator(association, config)
        self._cheap_weight = cheap_weight
        self._needs_past = association.momentum > 0
        self.reset()

    @classmethod
    def of(cls, config: TrackConfig, prior: SimilarityPrior | None = None) -> Self:
        """The tracker that a whole configuration asks for, with a `prior` of its embedder."""
        parts = config.detector.conf, config.association, config.motion
        return cls(config.tracker, *parts, config.cheap.cheap_weight, prior)

    def reset(self) -> None:
        """Forget all tracks; ids begin at 1 again."""
        self.initiated = 0
        self.confirmed = 0
        self._table = TrackTable()
        self._motion = Movement(
            self.motion_config, self.config.max_lost_s, needs_past=self._needs_past
        )
        self._gallery = Gallery()
        self._calibration = Calibration(self._prior, self._gate)
        self._cheap_gallery = CheapGallery(self._cheap_weight)
        self._usual_confidence = UsualConfidence(self.conf)
        self._arbiter = Arbiter() if self.config.arbitrate else None
        self._steps = FrameSteps(1 / REFERENCE_FPS)

    def __len__(self) -> int:
        return len(self._table.id)

    @property
    def unseen(self) -> UnseenTracks:
        """The tracks that no detection continues in this frame."""
        return UnseenTracks(self._table, self._motion, self._gallery)

    @property
    def appearance(self) -> AppearanceFacts | None:
        """What the run showed of its embedder, None while that is nothing."""
        return self._calibration.report()

    def predict(
        self, time_s: float, detections: Detections | None = None, camera: DoubleArray | None = None
    ) -> TrackView:
        """Move all tracks to the time of a new frame, and say where they are expected there.

        Args:
            time_s: time of the new frame in seconds; it increases from frame to frame.
            detections: what is seen there; a jump that they share is taken for the camera's. None
                to predict from the past alone.
            camera: (2, 3) affine map of the last frame's pixels to this one's, None for still.
        """
        table, step_s = self._table, self._steps.advance(time_s)
        if gap := self._steps.has_gap(self.config.max_lost_s):
            table.mark_all_lost(step_s)
            self._remove_expired()
        if camera is not None:
            self._motion.warp(camera)
        away_s = table.lost_s.copy()
        self._motion.model.predict(step_s, away_s > 0)
        if detections is not None:
            self._usual_confidence.observe(detections.score)
            if self.motion_config.steady:
                self._hold_steady(detections)
        if not gap:  # `mark_all_lost` has added the step of a gap already
            table.lost_s += np.float32(step_s)
        table.staleness += 1
        return TrackView(
            id=table.id,
            hits=table.hits,
            xyxy=self._motion.model.xyxy(),
            class_id=table.class_id,
            state=table.state,
            lost_s=table.lost_s,
            away_s=away_s,
            staleness=table.staleness,
            disputed=find_disputed(self._arbiter, table.id),
            motion=self._motion.model,
            trajectory=self._motion.trajectory,
            gallery=self._gallery,
            memory_s=table.staleness * np.float32(step_s),
            scale=self._calibration.scale,
        )

    def _hold_steady(self, detections: Detections) -> None:
        """Take the shift that all detections share against the prediction for the camera's."""
        known = (self._table.state == CONFIRMED) & (self._table.hits >= WELL_KNOWN_HITS)
        sure = detections.score >= self._usual_confidence.threshold(self.config.strong_share)
        shift = estimate_shift(detections.xyxy[sure], self._motion.model.xyxy()[known])
        if shift.any():
            self._motion.shift(shift)

    def compare(
        self,
        detections: Detections,
        view: TrackView,
        cheap_vectors: FloatArray | None = None,
        size: tuple[int, int] = (0, 0),
    ) -> Comparison:
        """Compare the detections with the prediction, once for planning and association.

        Args:
            detections: the N detections of the frame.
            view: the tracks that `predict` expects there.
            cheap_vectors: (N, D) cheap evidence of all detections, NaN in rows without any.
            size: width and height of the picture, beyond which nothing is compared; 0 if unknown.
        """
        near, cheap = self.associator.compare(*cut_at_border(detections, view, size)), None
        if cheap_vectors is not None:
            change = self._cheap_gallery.rate(near, cheap_vectors, view.away_s)
            near, cheap = near.add_cost(change), CheapEvidence(cheap_vectors, change)
        share, score = self.config.strong_share, detections.score
        return Comparison(
            detections=detections,
            near=near,
            eligible=score >= self.conf,
            strong=score >= self._usual_confidence.threshold(share),
            fertile=score >= self._usual_confidence.threshold(share * self.config.birth_share),
            cheap=cheap,
        )

    def update(self, comparison: Comparison, embeddings: Embeddings, view: TrackView) -> Tracks:
        """Associate, then update, mark as lost, initiate and remove tracks.

        Args:
            comparison: the frame's detections, compared with the prediction `view`.
            embeddings: what is known of the detections' appearance.
            view: what `predict` returned for this frame.
        """
        now_s, most_s = self._steps.time_s, self.config.max_lost_s
        if self._arbiter is not None:
            self._arbiter.open_cases(self._table, view.xyxy, self._gallery, now_s, most_s)
        matches = self.associator.associate(comparison, embeddings, view)
        sure = self.config.min_hits <= 1 or not len(self)
        self._calibration.observe(view, matches, comparison.detections, embeddings, now_s)
        self._update_matched(matches, comparison.detections, embeddings)
        self._table.mark_missed(matches.unmatched_tracks)
        new = find_births(matches, comparison, self.config.birth_iou)
        self._initiate(new, comparison.detections, embeddings, sure)
        if comparison.cheap is not None:
            self._cheap_gallery.update(self._table.detection, comparison.cheap.vectors)
        self._remove_expired()
        xyxy = self._table.place(self._motion.model.xyxy(), comparison.detections.xyxy)
        if self._arbiter is not None:
            self._arbiter.settle(self._table, xyxy, self._gallery, embeddings, now_s)
        return self._table.show(xyxy, most_s)

    def coast(self) -> Tracks:
        """Go on without detections: nothing is missed, and nothing starts.

        Called after `predict` in a frame that the detector is not asked about. Tracks that are not
        carried through it look lost in the result, and are as they were in the next frame.
        """
        self._table.coast()
        tracks = self._table.show(self._motion.model.xyxy(), self.config.max_lost_s)
        state = np.where(tracks.state == CONFIRMED, LOST, tracks.state).astype(np.int8)
        return replace(tracks, state=state)

    def _update_matched(
        self, matches: Matches, detections: Detections, embeddings: Embeddings
    ) -> None:
        """Continue each matched track with its detection."""
        rows, found = matches.track_rows, matches.detection_rows
        boxes, score = detections.xyxy[found], detections.score[found]
        # The motion looks at how long tracks were missed, which the table forgets next.
        self._motion.correct(rows, boxes, score, self._table, self._steps)
        self._table.update(rows, found, detections.class_id[found], score)
        self.confirmed += self._table.confirm(rows, self.config.min_hits, self.confirmed)
        self._store_embeddings(rows, found, embeddings)

    def _store_embeddings(self, rows: IntArray, found: IntArray, embeddings: Embeddings) -> None:
        """Give tracks `rows` (M,) the new embeddings of their detections `found` (M,).

        Those of poor crops enter no gallery.
        """
        fresh, memorable = embeddings.fresh[found], embeddings.memorable[found]
        self._gallery.add(rows[memorable], embeddings.vectors[found[memorable]])
        self._table.staleness[rows[fresh]] = 0
        self._table.fresh[rows[fresh]] = True

    def _initiate(
        self, found: IntArray, detections: Detections, embeddings: Embeddings, sure: bool
    ) -> None:
        """Start a track for each of the detections `found` (M,), confirmed at once if `sure`.

        That is so where there was no track at all, as in the first frame.
        """
        n = len(found)
        if not n:
            return
        boxes, score = detections.xyxy[found], detections.score[found]
        state, number = (CONFIRMED, self.confirmed) if sure else (TENTATIVE, self.initiated)
        ids = np.arange(number + 1, number + n + 1) * (1 if sure else -1)
        self._table.initiate(ids, detections.class_id[found], score, state, found)
        self.initiated += n
        self.confirmed += n if sure else 0
        new = np.arange(len(self) - n, len(self))
        self._motion.initiate(boxes, score, self._steps.time_s)
        self._gallery.extend(n)
        self._calibration.extend(n, self._steps.time_s)
        self._store_embeddings(new, found, embeddings)

    def _remove_expired(self) -> None:
        """Remove tracks marked as removed, and lost ones that cannot return any more."""
        longest_s = max(self.config.max_lost_s, self.config.reid_s)
        patience_s = np.where(self._gallery.known, longest_s, self.config.max_lost_s)
        alive = self._table.find_alive(patience_s)
        if not alive.all():
            self._table.keep(alive)
            for part in (self._motion, self._gallery, self._cheap_gallery, self._calibration):
                part.keep(alive)
