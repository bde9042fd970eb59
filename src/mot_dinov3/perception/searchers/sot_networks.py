"""Single-object networks around their backbones, and from checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mot_dinov3.errors import ModelError
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, load_checkpoint
from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD
from mot_dinov3.perception.map_backbones import list_left_out, restore_backbone
from mot_dinov3.perception.pretrained import load_fitting

if TYPE_CHECKING:
    import torch
    from torch import nn

    from mot_dinov3.nets.sot.network import SotNetwork

KIND = "sot"
"""Of the checkpoints."""
STRIDES = 8, 16
"""Of the maps that are fused."""
TEMPLATE_FACTOR, SEARCH_FACTOR = 2.0, 4.0
"""Sides of the windows of template and search, in square roots of the object's area."""


def build_network(config: CheckpointConfig, backbone: nn.Module, *, frozen: bool) -> SotNetwork:
    """The network that a configuration describes, around a backbone; the rest has random weights.

    Raises:
        ModelError: the configuration lacks a size, or has one that cannot be, or the backbone has
            other maps.
    """
    from mot_dinov3.nets.sot.network import FusionShape, SotNetwork

    if tuple(backbone.strides) != STRIDES:
        raise ModelError(
            f"The backbone has maps of strides {backbone.strides}, and of 8 and 16 are needed.",
            fix="Give --backbone random:small, or a DINOv3 ConvNeXt.",
        )
    try:
        dim, layers, heads = (config.sizes[name] for name in ("dim", "layers", "heads"))
        shape = FusionShape(dim, layers, heads, fused=bool(config.sizes["fused"]))
        return SotNetwork(backbone, shape, frozen=frozen)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"The checkpoint's config.json does not describe a network ({error!r}).",
            fix="Train again, or give another folder.",
        ) from error


def load_network(path: Path) -> tuple[SotNetwork, ModelCheckpoint]:
    """Load what `train sot` left behind, ready to search.

    Args:
        path: the folder of a run or of a checkpoint.

    Raises:
        ModelError: there is none, it is of another kind, or it is damaged.
    """
    import numpy as np
    import torch

    found = load_checkpoint(path, KIND)
    weights = {name: torch.from_numpy(np.array(value)) for name, value in found.weights.items()}
    recipe = found.config.recipe
    backbone = restore_backbone(str(recipe.get("backbone", "")), weights, path)
    network = build_network(found.config, backbone, frozen=bool(recipe.get("freeze_backbone")))
    load_fitting(network, weights, list_left_out(network), path)
    return network.eval(), found


def fold_norms(network: SotNetwork) -> None:
    """Make each batch norm part of the convolution before it, which saves a pass over its maps.

    Args:
        network: in evaluation mode; it cannot learn any more, nor load weights.
    """
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    from mot_dinov3.nets.reid.osnet import ConvLayer

    for layer in network.modules():
        if isinstance(layer, ConvLayer):
            layer.conv = fuse_conv_bn_eval(layer.conv, layer.bn)
            del layer.bn


def as_pixels(crops: torch.Tensor) -> torch.Tensor:
    """(B, S, S, 3) uint8 BGR -> (B, 3, S, S) float32, RGB as ImageNet's networks want it."""
    rgb = crops.flip(-1).permute(0, 3, 1, 2).float()
    mean, std = (rgb.new_tensor(v).view(3, 1, 1) * 255 for v in (IMAGENET_MEAN, IMAGENET_STD))
    return (rgb - mean) / std
