"""The baseline: every detection is embedded in every frame."""

from __future__ import annotations

import numpy as np

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.base import PlanInput, Policy, refuse_argument
from mot_dinov3.scheduling.policies.continuity import find_claimed_tracks
from mot_dinov3.values import NO_ROWS, EmbedPlan, Reason


class AlwaysPolicy(Policy):
    """No scheduling (`--embed-all`): what a saving is measured against."""

    refreshes = False

    def __init__(self, config: SchedulerConfig, argument: str = "") -> None:
        """Build it.

        Raises:
            UsageError: something stands behind its colon.
        """
        refuse_argument("always", argument)
        self.config = config

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """Every eligible detection is critical."""
        reason = np.where(scene.eligible, Reason.ALWAYS, Reason.LOW_SCORE).astype(np.int8)
        track, _ = find_claimed_tracks(scene, self.config.iou_gate)
        return EmbedPlan(
            critical=np.flatnonzero(scene.eligible),
            refresh=NO_ROWS,
            reuse=np.flatnonzero(~scene.eligible),
            track=track,
            reason=reason,
        )
