"""Builds a modular tracker around loaded models: the state of one clip, quick to make."""

from __future__ import annotations

from time import perf_counter

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.perception.features.prior import find_prior
from mot_dinov3.runtime.device import create_synchroniser
from mot_dinov3.runtime.timing import Clock
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.systems.searching import Search
from mot_dinov3.tracking.camera.factory import create_camera
from mot_dinov3.tracking.tracker import Tracker


def assemble(
    config: TrackConfig,
    models: Models,
    *,
    scheduler: SchedulerConfig | None = None,
    clock: Clock = perf_counter,
) -> ModularTracker:
    """A new tracker around loaded models, which has seen nothing yet.

    Args:
        config: settings of confidence, tracker, scheduler, camera and search.
        models: detector, embedders and searcher.
        scheduler: settings to use in the place of `config.scheduler`.
        clock: returns seconds, by which budgets are measured.

    Raises:
        MotError: there is no such policy or camera motion, or a file cannot be read.
    """
    chosen = scheduler or config.scheduler
    search = None
    if models.searcher is not None:
        period_ms = 1000 / chosen.target_fps if chosen.target_fps else 0.0
        stored = bool(models.detector.repeated)
        search = Search(models.searcher.renew(), config.search, period_ms, clock, stored=stored)
    return ModularTracker(
        models,
        create_policy(chosen, embedder=models.embedder is not None),
        EmbeddingScheduler(
            chosen,
            clock,
            synchronise=create_synchroniser(models.device),
            whole_frame=models.whole_frame,
            buckets=lambda: models.buckets,
        ),
        Tracker.of(config, find_prior(config.embedder)),
        create_camera(config.motion.cmc),
        search,
    )
