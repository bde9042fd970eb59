"""Backbones of maps by name, and from the weights of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.perception.hub.files import model_directory
from mot_dinov3.perception.hub.problems import reword
from mot_dinov3.perception.pretrained import load_model, load_typed_model, model_type_of

if TYPE_CHECKING:
    import torch
    from torch import nn

RANDOM, REID, SOT = "random:", "reid:", "sot:"
"""How backbones are named that are not a model of transformers."""
OWN = (RANDOM, REID, SOT)
CONVNEXT = "dinov3_convnext"
WORDS = {
    "--embed-model demo (and --det motion or --det demo)": "--backbone random:small",
    ", or demo": "",
    "--fallback-open, or ": "",
    ", or --embed-model demo": "",
    "--embed-model": "--backbone",
}
"""What the loaders of embedders advise -> the same for a backbone."""
STEM = "backbone.stem.0.conv.weight"
"""The weights that tell what a network of our own is."""
OSNET_CHANNELS, OSNET_KERNEL = 64, 7
"""Of that layer in an OSNet of width 1."""


class MapNetwork(Protocol):
    """A network around a backbone of maps.

    Attributes:
        backbone: pictures -> maps.
        frozen: whether the backbone stays as it is.
    """

    backbone: nn.Module
    frozen: bool


def create_backbone(name: str, stages: int = 3, layers: int = 1) -> nn.Module:
    """Build a backbone: one with random weights, or one of transformers with its own.

    Args:
        name: `random:SIZE`, `resnet18`, `resnet50`, or a hub id or a directory of a DINOv3
            ConvNeXt or a vision transformer.
        stages: of a ConvNeXt.
        layers: of a vision transformer that are read.

    Raises:
        UsageError: there is no such size.
        ModelError: the model cannot be found or loaded, or is of another kind.
    """
    from mot_dinov3.nets.maps.convolutions import SIZES, ConvMaps
    from mot_dinov3.nets.maps.pretrained import ConvNextMaps, VitMaps
    from mot_dinov3.nets.maps.residual import DEPTHS, ResNetMaps

    if name in DEPTHS:
        return ResNetMaps(name)
    if name.startswith(RANDOM):
        size = name.removeprefix(RANDOM)
        if size not in SIZES:
            raise UsageError(
                f"--backbone {name} names no size.",
                fix=f"Give one of: {', '.join(RANDOM + known for known in SIZES)}.",
            )
        return ConvMaps(SIZES[size])
    with reword(WORDS):
        directory = model_directory(name, "--backbone random:small")
        if model_type_of(directory, name) == CONVNEXT:
            model = load_typed_model(directory, "DINOv3ConvNextModel", (CONVNEXT,), name)
            return ConvNextMaps(model, stages)
        return VitMaps(load_model(directory, "AutoModel", name), layers)


def rebuild_backbone(weights: Mapping[str, torch.Tensor], path: Path) -> nn.Module:
    """Build the network of our own that the weights of a checkpoint belong to.

    Args:
        weights: name -> tensor; those of the backbone begin with "backbone.".
        path: of the checkpoint, for the message.

    Raises:
        ModelError: they belong to none.
    """
    from mot_dinov3.nets.maps.convolutions import ConvMaps, OsnetMaps
    from mot_dinov3.nets.reid.osnet import OSNet

    stem = weights.get(STEM)
    if stem is None or stem.ndim != 4:
        raise ModelError(
            f"The weights in '{path}' do not fit their config.json: '{STEM}' is missing.",
            fix="Train again, or give another folder.",
        )
    if stem.shape[-1] == OSNET_KERNEL:
        return OsnetMaps(OSNet(len(stem) / OSNET_CHANNELS))
    return ConvMaps(2 * len(stem))


def restore_backbone(
    name: str, weights: Mapping[str, torch.Tensor], path: Path, stages: int = 3, layers: int = 1
) -> nn.Module:
    """The backbone of a checkpoint: rebuilt around its weights, or loaded where it came from.

    Args:
        name: what the recipe names.
        weights: of the checkpoint.
        path: of the checkpoint, for messages.
        stages: see `create_backbone`.
        layers: as there.

    Raises:
        ModelError: it cannot be found or loaded, or the weights belong to none.
    """
    if name.startswith(OWN):
        return rebuild_backbone(weights, path)
    return create_backbone(name, stages, layers)


def list_left_out(network: MapNetwork) -> set[str]:
    """Names of the weights that a checkpoint leaves out, as users have them anyway.

    They are those of a frozen model of transformers.
    """
    from mot_dinov3.nets.maps.pretrained import list_given

    given = list_given(network.backbone) if network.frozen else set()
    return {f"backbone.{name}" for name in given}
