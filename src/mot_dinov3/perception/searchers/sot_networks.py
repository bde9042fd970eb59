"""Single-object networks by the name of their backbone, and from checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, load_checkpoint
from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD
from mot_dinov3.perception.hub.files import model_directory
from mot_dinov3.perception.pretrained import load_fitting, load_typed_model

if TYPE_CHECKING:
    import torch
    from torch import nn

    from mot_dinov3.nets.sot.network import SotNetwork

KIND = "sot"
"""Of the checkpoints."""
RANDOM, REID = "random:", "reid:"
"""How backbones are named that are not a model of transformers."""
CONVNEXT = "dinov3_convnext"
OSNET_STEM, STEM_CHANNELS = "backbone.stem.0.conv.weight", 64
"""The weights that tell how wide an OSNet is, and how many kernels they are at width 1."""
TEMPLATE_FACTOR, SEARCH_FACTOR = 2.0, 4.0
"""Sides of the windows of template and search, in square roots of the object's area."""


def create_backbone(name: str) -> nn.Module:
    """Build a backbone: one of our own with random weights, or one of transformers with its own.

    Args:
        name: `random:SIZE`, or a hub id or a directory of a DINOv3 ConvNeXt.

    Raises:
        UsageError: there is no such size.
        ModelError: the model cannot be found or loaded, or is of another kind.
    """
    from mot_dinov3.nets.sot.backbones import SIZES, ConvMaps, ConvNextMaps

    if name.startswith(RANDOM):
        size = name.removeprefix(RANDOM)
        if size not in SIZES:
            raise UsageError(
                f"--backbone {name} names no size.",
                fix=f"Give one of: {', '.join(RANDOM + known for known in SIZES)}.",
            )
        return ConvMaps(SIZES[size])
    directory = model_directory(name, "--backbone random:small")
    return ConvNextMaps(load_typed_model(directory, "DINOv3ConvNextModel", (CONVNEXT,), name))


def build_network(config: CheckpointConfig, backbone: nn.Module, *, frozen: bool) -> SotNetwork:
    """The network that a configuration describes, around a backbone; the rest has random weights.

    Raises:
        ModelError: the configuration lacks a size, or has one that cannot be.
    """
    from mot_dinov3.nets.sot.network import FusionShape, SotNetwork

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
    backbone = _rebuild_backbone(recipe, weights, path)
    network = build_network(found.config, backbone, frozen=bool(recipe.get("freeze_backbone")))
    load_fitting(network, weights, list_left_out(network), path)
    return network.eval(), found


def _rebuild_backbone(
    recipe: Mapping[str, Any], weights: Mapping[str, torch.Tensor], path: Path
) -> nn.Module:
    name = str(recipe.get("backbone", ""))
    if not name.startswith(REID):
        return create_backbone(name)
    from mot_dinov3.nets.reid.osnet import OSNet
    from mot_dinov3.nets.sot.backbones import OsnetMaps

    if OSNET_STEM not in weights:
        raise ModelError(
            f"The weights in '{path}' do not fit their config.json: '{OSNET_STEM}' is missing.",
            fix="Train again, or give another folder.",
        )
    return OsnetMaps(OSNet(len(weights[OSNET_STEM]) / STEM_CHANNELS))


def list_left_out(network: SotNetwork) -> set[str]:
    """Names of the weights that a checkpoint leaves out, as users have them anyway.

    They are those of a frozen model of transformers.
    """
    from mot_dinov3.nets.sot.backbones import ConvNextMaps

    if not network.frozen or not isinstance(network.backbone, ConvNextMaps):
        return set()
    return {f"backbone.{name}" for name in network.backbone.list_given()}


def as_pixels(crops: torch.Tensor) -> torch.Tensor:
    """(B, S, S, 3) uint8 BGR -> (B, 3, S, S) float32, RGB as ImageNet's networks want it."""
    rgb = crops.flip(-1).permute(0, 3, 1, 2).float()
    mean, std = (rgb.new_tensor(v).view(3, 1, 1) * 255 for v in (IMAGENET_MEAN, IMAGENET_STD))
    return (rgb - mean) / std
