"""The plain baseline: everybody in every k-th frame, and newcomers at once."""

from __future__ import annotations

import numpy as np

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.base import PlanInput, number_argument
from mot_dinov3.scheduling.policies.continuity import find_claimed_tracks
from mot_dinov3.values import EmbedPlan, Reason

DEFAULT_K = 5.0


class IntervalPolicy:
    """`interval:k` embeds every detection in frames 0, k, 2k, ... and births in all frames.

    A birth is a detection that continues no active track. Those are critical; what only the
    interval asks for gives way to a budget.
    """

    def __init__(self, config: SchedulerConfig, argument: str = "") -> None:
        """Raises: UsageError, k is no number of at least 1."""
        self.config = config
        self.every = round(number_argument("interval", argument, DEFAULT_K, 1))

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """Births are critical; all others are refreshed in every k-th frame."""
        track, continues = find_claimed_tracks(scene, self.config.iou_gate)
        births = scene.eligible & ~continues
        turn = scene.frame_index % self.every == 0
        due = scene.eligible & continues & turn
        reason = np.full(len(scene), Reason.STABLE, np.int8)
        reason[due] = Reason.DUE
        reason[births] = Reason.WEAK_IOU if scene.iou.shape[1] else Reason.NO_TRACK
        reason[~scene.eligible] = Reason.LOW_SCORE
        return EmbedPlan(
            critical=np.flatnonzero(births),
            refresh=np.flatnonzero(due),
            reuse=np.flatnonzero(~births & ~due),
            track=track,
            reason=reason,
        )
