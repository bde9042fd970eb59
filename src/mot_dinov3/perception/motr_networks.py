"""End-to-end trackers of `train motr`: built around their backbone, and from checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint
from mot_dinov3.perception.detectors.detr_networks import assemble, restore

if TYPE_CHECKING:
    from torch import nn

    from mot_dinov3.nets.motr.network import MotrNetwork

KIND = "motr"
"""Of the checkpoints."""
HEAD = "deformable"
BIRTH, KEEP = "birth", "keep"
"""Of the scores among a checkpoint's thresholds at which tracks begin and are seen best."""


def build_network(
    config: CheckpointConfig, updater: str, backbone: nn.Module, frozen: bool
) -> MotrNetwork:
    """The network that a configuration describes, around a backbone; its head is random.

    Args:
        config: has the sizes and the classes.
        updater: name of its memory.
        backbone: of maps.
        frozen: whether the backbone does not learn.

    Raises:
        ModelError: the configuration lacks something, or has a size that cannot be.
    """
    from mot_dinov3.nets.motr.network import MotrNetwork

    return assemble(
        config, HEAD, lambda shape: MotrNetwork(backbone, shape, updater, frozen=frozen)
    )


def load_network(path: Path) -> tuple[MotrNetwork, ModelCheckpoint]:
    """Load what `train motr` left behind, ready to track.

    Args:
        path: the folder of a run or of a checkpoint.

    Raises:
        ModelError: there is none, it is of another kind, it is damaged, or the backbone that it
            names is not the one that it was trained on.
    """
    return restore(
        path,
        KIND,
        lambda config, backbone, frozen: build_network(
            config, str(config.recipe.get("updater")), backbone, frozen
        ),
    )
