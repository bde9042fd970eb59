"""Detection transformers of `train detector`: built around their backbone, and from checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.errors import ModelError
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, load_checkpoint
from mot_dinov3.perception.map_backbones import list_left_out, restore_backbone
from mot_dinov3.perception.pretrained import load_fitting
from mot_dinov3.values import FloatArray

if TYPE_CHECKING:
    import torch
    from torch import nn

    from mot_dinov3.nets.detr.network import DetrNetwork

KIND = "detr"
"""Of the checkpoints."""
PROBE = "probe"
"""The name among the weights of what the backbone said of a fixed picture."""
PROBE_TOLERANCE = 1e-2
"""Maps have deviation 1; other processors and versions differ by less."""
STAGES = 4
"""Of a ConvNeXt backbone: strides 8, 16 and 32."""


def build_network(
    config: CheckpointConfig, head: str, backbone: nn.Module, *, frozen: bool
) -> DetrNetwork:
    """The network that a configuration describes, around a backbone; its head is random.

    Args:
        config: has the sizes and the classes.
        head: its kind.
        backbone: of maps.
        frozen: whether the backbone does not learn.

    Raises:
        ModelError: the configuration lacks something, or has a size that cannot be.
    """
    from mot_dinov3.nets.detr.heads import HeadShape
    from mot_dinov3.nets.detr.network import DetrNetwork

    names = ("queries", "dim", "encoder_layers", "decoder_layers")
    try:
        sizes = {name: int(config.sizes[name]) for name in names}
        shape = HeadShape(head, len(config.classes), **sizes)
        return DetrNetwork(backbone, shape, frozen=frozen)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"The checkpoint's config.json does not describe a detector ({error!r}).",
            fix="Train again, or give another folder.",
        ) from error


def load_network(path: Path) -> tuple[DetrNetwork, ModelCheckpoint]:
    """Load what `train detector` left behind, ready to detect.

    Args:
        path: the folder of a run or of a checkpoint.

    Raises:
        ModelError: there is none, it is of another kind, it is damaged, or the backbone that it
            names is not the one that it was trained on.
    """
    import torch

    found = load_checkpoint(path, KIND)
    weights = {name: torch.from_numpy(np.array(value)) for name, value in found.weights.items()}
    probe = weights.pop(PROBE, None)
    recipe = found.config.recipe
    name, layers = str(recipe.get("backbone", "")), int(recipe.get("layers", 1))
    backbone = restore_backbone(name, weights, path, STAGES, layers)
    frozen = not recipe.get("train_backbone")
    network = build_network(found.config, str(recipe.get("head")), backbone, frozen=frozen)
    load_fitting(network, weights, list_left_out(network), path)
    _check_backbone(network.eval(), probe, name)
    return network, found


def _check_backbone(network: DetrNetwork, probe: torch.Tensor | None, name: str) -> None:
    if probe is None or not is_same_backbone(probe.numpy(), network.probe().numpy()):
        raise ModelError(
            f"The backbone '{name}' is not the one that the detector was trained on.",
            fix="Put the model back that was there, or train again.",
        )


def is_same_backbone(probe: FloatArray, other: FloatArray) -> bool:
    """Whether two probes are of one backbone."""
    return probe.shape == other.shape and bool(np.abs(probe - other).max() <= PROBE_TOLERANCE)


def find_stride(network: DetrNetwork) -> int:
    """Pixels that both sides of a picture have to be a multiple of."""
    strides = network.backbone.strides
    return int(max(strides)) * (1 if len(strides) >= 3 else 2)
