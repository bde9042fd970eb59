"""A policy that is added by this file and one line of the table: what stands on the left."""

from __future__ import annotations

import numpy as np

from mot_dinov3.scheduling.policies.base import Argument, Policy
from mot_dinov3.values import NO_ROWS, EmbedPlan, Reason

LINE = ("helpers.added.policy:LeftPolicy", "embed what begins left of X pixels: left[:X]")


class LeftPolicy(Policy):
    """Every detection that begins left of a line is critical; nothing is reused."""

    argument = Argument("X", default=80, least=0, low=0, high=160, digits=0, compared=(40, 100))
    refreshes = False

    def __init__(self, config, argument=""):
        self.line_px = self.argument.read("left", argument)

    def plan(self, scene):
        chosen = scene.eligible & (scene.xyxy[:, 0] < self.line_px)
        return EmbedPlan(
            critical=np.flatnonzero(chosen),
            refresh=NO_ROWS,
            reuse=np.flatnonzero(~chosen),
            track=np.full(len(scene), -1),
            reason=np.full(len(scene), Reason.ALWAYS, np.int8),
        )
