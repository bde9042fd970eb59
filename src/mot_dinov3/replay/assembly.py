"""A tracker around a detector and an embedder that exist already."""

from __future__ import annotations

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.detectors.base import Detector
from mot_dinov3.device import synchronised_clock
from mot_dinov3.features.base import Embedder
from mot_dinov3.pipeline import ModularTracker
from mot_dinov3.policies.base import Policy
from mot_dinov3.policies.factory import create_policy
from mot_dinov3.scheduler import EmbeddingScheduler
from mot_dinov3.timing import Clock
from mot_dinov3.tracker import Tracker


def assemble(
    config: TrackConfig,
    detector: Detector,
    embedder: Embedder | None,
    *,
    scheduler: SchedulerConfig | None = None,
    policy: Policy | None = None,
    clock: Clock | None = None,
) -> ModularTracker:
    """A new tracker around a detector and an embedder.

    Args:
        config: conf, tracker and scheduler settings.
        detector: what sees.
        embedder: what describes, None for motion only.
        scheduler: takes the place of `config.scheduler`.
        policy: takes the place of the one that the scheduler's settings name.
        clock: what the scheduler reads; by default it waits for the embedder's device.
    """
    chosen = scheduler or config.scheduler
    device = embedder.device if embedder is not None else "cpu"
    return ModularTracker(
        detector,
        embedder,
        policy or create_policy(chosen, embedder=embedder is not None),
        EmbeddingScheduler(chosen, clock or synchronised_clock(device)),
        Tracker(config.tracker, config.detector.conf, config.association, config.motion),
    )
