"""A tracker around a detector and an embedder that exist already."""

from __future__ import annotations

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.detectors.base import Detector
from mot_dinov3.device import synchroniser
from mot_dinov3.features.base import Embedder, whole_frame
from mot_dinov3.pipeline import ModularTracker
from mot_dinov3.policies.factory import create_policy
from mot_dinov3.scheduler import EmbeddingScheduler
from mot_dinov3.tracker import Tracker


def assemble(
    config: TrackConfig,
    detector: Detector,
    embedder: Embedder | None,
    *,
    scheduler: SchedulerConfig | None = None,
) -> ModularTracker:
    """A new tracker around a detector and an embedder.

    Args:
        config: conf, tracker and scheduler settings.
        detector: what sees.
        embedder: what describes, None for motion only.
        scheduler: takes the place of `config.scheduler`.
    """
    chosen = scheduler or config.scheduler
    device = embedder.device if embedder is not None else "cpu"
    return ModularTracker(
        detector,
        embedder,
        create_policy(chosen, embedder=embedder is not None),
        EmbeddingScheduler(
            chosen, synchronise=synchroniser(device), whole_frame=whole_frame(embedder)
        ),
        Tracker.of(config),
    )
