"""The modular tracker: detect, plan, embed, associate, as `step(frame) -> FrameResult`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mot_dinov3.perception.features.sharpness import UsualSharpness, sharpness
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.scheduling.planning import (
    build_plan_input,
    get_frame_size,
    include_all_able,
    leave_out,
    mark_poor,
)
from mot_dinov3.scheduling.policies.base import Policy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler, Executed, Remembered
from mot_dinov3.systems.crowding import CrowdLimit
from mot_dinov3.systems.models import Models, describe_models, join_titles
from mot_dinov3.systems.searching import Search
from mot_dinov3.tracking.association.base import Comparison, TrackView
from mot_dinov3.tracking.camera.base import CameraMotion
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import (
    Decisions,
    Detections,
    EmbedCounts,
    Embeddings,
    EmbedPlan,
    Fate,
    FloatArray,
    Frame,
    FrameResult,
    Supplied,
    Tracks,
)
from mot_dinov3.values.run_facts import SystemCounts


class ModularTracker:
    """A detector, an embedder on a budget, and a tracker, as a `System`.

    Attributes:
        detector: finds the objects.
        embedder: describes chosen detections, None for tracking by motion alone.
        scheduler: spends the embedding budget.
        tracker: keeps the identities.
        camera: estimates how the picture moved, None without.
        cheap: describes every detection of every frame at almost no cost, None without.
        search: follows tracks where there is no detection of them, None without.
        frames: how many frames were tracked.
        limit: leaves out detections where more lie on top of each other than in any real scene.
    """

    def __init__(
        self,
        models: Models,
        policy: Policy,
        scheduler: EmbeddingScheduler,
        tracker: Tracker,
        camera: CameraMotion | None = None,
        search: Search | None = None,
    ) -> None:
        self.detector = models.detector
        self.embedder = models.embedder
        self.cheap = models.cheap
        self.policy = policy
        self.scheduler = scheduler
        self.tracker = tracker
        self.camera = camera
        self.search = search
        self.frames = 0
        self._usual_sharpness = UsualSharpness()
        self.limit = CrowdLimit()

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name, as the detector knows them."""
        return self.detector.names

    @property
    def title(self) -> str:
        """Detector and embedder."""
        return join_titles(self.models)

    @property
    def models(self) -> Mapping[str, str]:
        """Role -> title of the model in it."""
        searcher = None if self.search is None else self.search.searcher
        return describe_models(self.detector, self.embedder, searcher)

    @property
    def counts(self) -> SystemCounts:
        """How many tracks there were so far."""
        return SystemCounts(self.tracker.initiated, self.tracker.confirmed, self.tracker.appearance)

    def warm_up(self, frame: Frame) -> None:
        """Make the slow first calls of the models on a frame of the clip."""
        self.detector.warm_up(frame.width, frame.height)
        embedder = self.embedder
        if embedder is not None and embedder.has_own_cost:
            image, box = frame.image, person_sized_box(frame)
            self.scheduler.warm_up(lambda n: embedder.embed(image, np.repeat(box, n, axis=0)))

    def step(self, frame: Frame, supplied: Supplied | None = None) -> FrameResult:
        """Track one frame; frames come in order of time.

        Args:
            frame: the picture.
            supplied: boxes that are known already, and perhaps vectors; the detector is not
                asked then.
        """
        timer = StageTimer()
        if supplied is None:
            if not self.wants_detection(frame):
                return self._coast(frame, timer)
            with timer("detect"):
                supplied = Supplied(self.limit(self.detector.detect(frame)))
        else:
            timer.add("detect", supplied.found_ms)
        result = self._track(frame, supplied, timer)
        if self.search is None:
            return result
        embed = None if self.embedder is None else lambda xyxy: self._embed(frame, xyxy)
        tracks = self.search.conclude(frame, result.tracks, self.tracker, timer, embed)
        return replace(result, tracks=tracks, stage_ms=timer.stage_ms)

    def wants_detection(self, frame: Frame) -> bool:
        """Whether the detector is to be asked about the next frame."""
        return self.search is None or self.search.wants_detection(frame)

    def _coast(self, frame: Frame, timer: StageTimer) -> FrameResult:
        """Track a frame without asking the detector."""
        if self.search is None:
            raise RuntimeError("a frame without detections needs something that searches")
        self._predict(frame, None, timer)
        self.frames += 1
        tracks = self.search.coast(frame, self.tracker, timer)
        return FrameResult(
            frame_index=frame.index,
            time_s=frame.time_s,
            detections=Detections.empty(),
            tracks=tracks,
            embed=EmbedCounts(budget_ms=self.scheduler.budget.limit_ms),
            stage_ms=timer.stage_ms,
        )

    def take_over(self, other: ModularTracker) -> None:
        """Go on with the tracks and the past of another tracker that had other models."""
        self.tracker, self.camera, self.frames = other.tracker, other.camera, other.frames
        self.search = other.search
        self._usual_sharpness = other._usual_sharpness

    def pace(self, other_ms: float) -> None:
        """Record what the last frame took in all stages beside embedding, in milliseconds.

        Where some frames are not detected, embeddings get what a mean one of them leaves.
        """
        self.scheduler.pace(other_ms if self.search is None else self.search.pace(other_ms))

    def _track(self, frame: Frame, seen: Supplied, timer: StageTimer) -> FrameResult:
        """Do what follows detection: compare by place, embed what the policy asks for, update."""
        detections, vectors = seen.detections, seen.vectors
        scene, view = self._compare(frame, detections, timer)
        frame_number = self.frames
        self.frames += 1
        if (self.embedder is None and vectors is None) or not len(detections):
            return self._finish_without_embeddings(frame, scene, view, timer)
        with timer("track"):
            sharp = self._measure_sharpness(frame, scene)
            known = build_plan_input(
                scene, view, self.tracker.associator, frame, frame_number, sharp
            )
            plan = mark_poor(self.policy.plan(known), known.quality)
            if self.scheduler.whole_frame:
                plan = include_all_able(plan)
            if vectors is not None:
                plan = leave_out(plan, seen.known)
            remembered = Remembered(known.appearance, known.known)
        with timer("embed"):
            done = self.scheduler.run(
                plan, lambda rows: self._embed(frame, detections.xyxy[rows]), remembered
            )
            embeddings = done.embeddings.with_vectors(vectors)
        with timer("track"):
            tracks = self.tracker.update(scene, embeddings, view)
        return FrameResult(
            frame_index=frame.index,
            time_s=frame.time_s,
            detections=detections,
            tracks=tracks,
            embed=count_without_track(done.counts, embeddings, tracks),
            stage_ms=timer.stage_ms,
            decisions=collect_decisions(plan, done, known.quality),
            embeddings=embeddings,
        )

    def _compare(
        self, frame: Frame, detections: Detections, timer: StageTimer
    ) -> tuple[Comparison, TrackView]:
        """Predict the tracks and compare them with the detections, embeddings left aside."""
        view = self._predict(frame, detections, timer)
        cheap_vectors = None
        if self.cheap is not None:
            with timer("cheap"):
                cheap_vectors = self.cheap.embed(frame.image, detections.xyxy)
        with timer("track"):
            size = get_frame_size(frame)
            return self.tracker.compare(detections, view, cheap_vectors, size), view

    def _predict(self, frame: Frame, detections: Detections | None, timer: StageTimer) -> TrackView:
        """Move the tracks to the frame; without detections the camera is seen between tracks."""
        camera_map = None
        if self.camera is not None:
            with timer("camera"):
                moving = self.tracker.boxes if detections is None else detections.xyxy
                camera_map = self.camera.estimate(frame, moving)
        with timer("track"):
            return self.tracker.predict(frame.time_s, detections, camera_map)

    def _finish_without_embeddings(
        self, frame: Frame, scene: Comparison, view: TrackView, timer: StageTimer
    ) -> FrameResult:
        """Finish a frame without embeddings: there is no embedder, or no detection."""
        with timer("embed"):  # about zero, so that every frame has the same stages
            nothing = Embeddings.none(len(scene.detections))
        with timer("track"):
            tracks = self.tracker.update(scene, nothing, view)
        return FrameResult(
            frame_index=frame.index,
            time_s=frame.time_s,
            detections=scene.detections,
            tracks=tracks,
            embed=EmbedCounts(budget_ms=self.scheduler.budget.limit_ms),
            stage_ms=timer.stage_ms,
        )

    def _measure_sharpness(self, frame: Frame, scene: Comparison) -> FloatArray:
        """(N,) in [0, 1] how sharp the crops are; 1 where a replay has no pixels to look at."""
        out = np.ones(len(scene.eligible), np.float32)
        if any(frame.image.strides):  # without pixels one zero stands for all of them
            rows = np.flatnonzero(scene.eligible)
            boxes = scene.detections.xyxy[rows]
            out[rows] = self._usual_sharpness.quality(sharpness(frame.image, boxes))
        return out

    def _embed(self, frame: Frame, xyxy: FloatArray) -> FloatArray:
        if self.embedder is None:
            raise RuntimeError("a plan asked for embeddings, but there is no embedder")
        return self.embedder.embed(frame.image, xyxy)


def collect_decisions(plan: EmbedPlan, done: Executed, quality: FloatArray) -> Decisions:
    """What became of every detection's embedding, row by row."""
    n = len(plan)
    fate, rank = np.full(n, Fate.REUSE, np.int8), np.full(n, -1, np.int64)
    fate[plan.critical], fate[plan.refresh] = Fate.CRITICAL, Fate.REFRESH
    order = np.concatenate((plan.critical, plan.refresh))
    rank[order] = np.arange(len(order))
    return Decisions(
        fate=fate,
        rank=rank,
        reason=plan.reason,
        worth=plan.worth if len(plan.worth) else np.full(n, np.nan, np.float32),
        quality=quality,
        admitted=done.admitted,
        predicted_ms=done.predicted_ms,
        real_ms=done.real_ms,
    )


def count_without_track(counts: EmbedCounts, embeddings: Embeddings, tracks: Tracks) -> EmbedCounts:
    """The counts of the frame, with the vectors that went to no track among them."""
    n_lone = int(embeddings.fresh.sum() - tracks.fresh.sum())
    return replace(counts, without_track=n_lone)


def person_sized_box(frame: Frame) -> FloatArray:
    """(1, 4) a box of usual size in the middle of the frame, for the warm-up."""
    width, height = frame.width, frame.height
    corners = [0.45 * width, 0.3 * height, 0.55 * width, 0.7 * height]
    return np.array([corners], np.float32)
