"""The table of motion models."""

from __future__ import annotations

from typing import cast

from mot_dinov3.config import MotionConfig
from mot_dinov3.registry import Registry
from mot_dinov3.tracking.motion.base import MotionModel

MOTIONS = Registry(
    "motion model",
    {
        "kalman": (
            "mot_dinov3.tracking.motion.kalman:KalmanMotion",
            "constant velocity, a Kalman filter for each box",
        ),
        "samba": (
            "mot_dinov3.tracking.motion.samba:SambaMotion",
            "learned: tracks tell each other how they move, samba:DIR of train samba",
        ),
    },
)


def create_motion(config: MotionConfig) -> MotionModel:
    """Build the motion model that the configuration names, without tracks.

    Raises:
        UnknownNameError: there is no such model; the message says which there are.
        UsageError: the model cannot work with what stands behind its colon.
    """
    name, _, argument = config.motion.partition(":")
    return cast("MotionModel", MOTIONS.load(name)(config, argument))
