"""Motion only: nothing is ever embedded (`--embedder none`)."""

from __future__ import annotations

import numpy as np

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.base import PlanInput, Policy, refuse_argument
from mot_dinov3.scheduling.policies.continuity import find_claimed_tracks
from mot_dinov3.values import NO_ROWS, EmbedPlan, Reason


class NeverPolicy(Policy):
    """No embedder, so no evidence but place."""

    refreshes = embeds = False

    def __init__(self, config: SchedulerConfig, argument: str = "") -> None:
        """Build it.

        Raises:
            UsageError: something stands behind its colon.
        """
        refuse_argument("never", argument)
        self.config = config

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """Every detection keeps what its track has, which is nothing."""
        n = len(scene.eligible)
        track, _ = find_claimed_tracks(scene, self.config.iou_gate)
        reason = np.full(n, Reason.STABLE, np.int8)
        return EmbedPlan(NO_ROWS, NO_ROWS, np.arange(n), track, reason)
