"""A tracker around models that exist already: one clip's state, nothing that takes time to load."""

from __future__ import annotations

from time import perf_counter

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.runtime.device import create_synchroniser
from mot_dinov3.runtime.timing import Clock
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler
from mot_dinov3.systems.modular import Models, ModularTracker
from mot_dinov3.tracking.camera.factory import create_camera
from mot_dinov3.tracking.tracker import Tracker


def assemble(
    config: TrackConfig,
    models: Models,
    *,
    scheduler: SchedulerConfig | None = None,
    clock: Clock = perf_counter,
) -> ModularTracker:
    """A new tracker around loaded models, with an empty memory.

    Args:
        config: conf, tracker, scheduler and camera settings.
        models: what sees and what describes.
        scheduler: takes the place of `config.scheduler`.
        clock: seconds, on which budgets are read.

    Raises:
        MotError: no such policy or camera motion, or its file cannot be read.
    """
    chosen = scheduler or config.scheduler
    return ModularTracker(
        models,
        create_policy(chosen, embedder=models.embedder is not None),
        EmbeddingScheduler(
            chosen,
            clock,
            synchronise=create_synchroniser(models.device),
            whole_frame=models.whole_frame,
        ),
        Tracker.of(config),
        create_camera(config.motion.cmc),
    )
