"""The plain baseline: all detections in every k-th frame, and new objects at once."""

from __future__ import annotations

import numpy as np

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.base import Argument, PlanInput, Policy
from mot_dinov3.scheduling.policies.continuity import find_claimed_tracks
from mot_dinov3.values import EmbedPlan, Reason


class IntervalPolicy(Policy):
    """`interval:k` embeds every detection in frames 0, k, 2k, ... and new objects in all frames.

    A detection is of a new object if it continues no active track. Those are critical; what only
    the interval asks for gives way to a budget.
    """

    settings = ("embed_iou_gate",)
    argument = Argument(
        "K", default=5.0, least=1, low=1, high=30, digits=0, compared=(1, 2, 3, 5, 8, 13)
    )

    def __init__(self, config: SchedulerConfig, argument: str = "") -> None:
        """Build it.

        Raises:
            UsageError: k is not a number of at least 1.
        """
        self.config = config
        self.every = round(self.argument.read("interval", argument))

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """New objects are critical; all others are refreshed in every k-th frame."""
        track, continues = find_claimed_tracks(scene, self.config.iou_gate)
        new = scene.eligible & ~continues
        turn = scene.frame_index % self.every == 0
        due = scene.eligible & continues & turn
        reason = np.full(len(scene), Reason.STABLE, np.int8)
        reason[due] = Reason.DUE
        reason[new] = Reason.WEAK_IOU if scene.iou.shape[1] else Reason.NO_TRACK
        reason[~scene.eligible] = Reason.LOW_SCORE
        return EmbedPlan(
            critical=np.flatnonzero(new),
            refresh=np.flatnonzero(due),
            reuse=np.flatnonzero(~new & ~due),
            track=track,
            reason=reason,
        )
