"""What a network reaches in the place where it will work: the tracker's motion model."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from mot_dinov3.config import MotionConfig
from mot_dinov3.data.trajectories.base import Trajectories
from mot_dinov3.evaluation.motion import MotionFigures, measure_motion
from mot_dinov3.tracking.motion.kalman import KalmanMotion
from mot_dinov3.tracking.motion.samba import SambaMotion
from mot_dinov3.tracking.motion.samba_network import read_network
from mot_dinov3.training.recipes.base import Assessment


def assess(model: nn.Module, sequences: Sequence[Trajectories]) -> Assessment:
    """Errors as multiples of those of `KalmanMotion`; `hidden` is their mean, which decides."""
    config = MotionConfig()
    weights = {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}
    trained = read_network(weights)
    own = measure_motion(lambda: SambaMotion(config, trained=trained), sequences)
    usual = measure_motion(lambda: KalmanMotion(config), sequences)
    return Assessment(compare(own, usual), "hidden", higher_is_better=False)


def compare(own: MotionFigures, usual: MotionFigures) -> dict[str, float]:
    """Ratios of errors by name, and the mean of those of hidden tracks."""
    ratios = {f"hidden_{n}": own.hidden[n] / max(usual.hidden[n], 1e-9) for n in own.hidden}
    return {
        "hidden": sum(ratios.values()) / len(ratios),
        **ratios,
        "ahead": own.ahead / max(usual.ahead, 1e-9),
        "iou": own.iou,
        "inside": own.inside,
        "inside_hidden": own.inside_hidden,
    }
