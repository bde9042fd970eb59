"""The table of backbones; a new one is one file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.nets.reid.network import ReidNetwork

BACKBONES = Registry(
    "backbone",
    {
        "osnet_x0_25": (
            "mot_dinov3.nets.reid.osnet:build_quarter",
            "OSNet with a quarter of its channels, 0.2 million parameters",
        ),
        "osnet_x1_0": (
            "mot_dinov3.nets.reid.osnet:build_whole",
            "OSNet, 2.2 million parameters",
        ),
        "cares18": (
            "mot_dinov3.nets.reid.resnet:cares18",
            "ResNet-18 with IBN-a and triplet attention",
        ),
        "resnet18": ("mot_dinov3.nets.reid.resnet:resnet18", "ResNet-18 with a fine last map"),
        "resnet50": ("mot_dinov3.nets.reid.resnet:resnet50", "ResNet-50 with a fine last map"),
        "vit_small": (
            "mot_dinov3.nets.reid.vit:vit_small",
            "a vision transformer of 6 layers for crops",
        ),
    },
)
"""Name -> function that builds (B, 3, H, W) -> (B, channels, h, w) with random weights."""


def build_network(name: str) -> ReidNetwork:
    """Build the network around the backbone called `name`, with random weights.

    A backbone with a `dim` is projected to that length and begins with average pooling, as its
    authors trained it.

    Raises:
        UnknownNameError: no such backbone.
    """
    from mot_dinov3.nets.reid.network import ReidNetwork

    backbone = BACKBONES.load(name)()
    dim = int(getattr(backbone, "dim", 0))
    return ReidNetwork(backbone, dim, power=1.0 if dim else 3.0)
