"""ResNets as backbones: their last map stays as fine as the one before it, and nothing is pooled.

A last stride of 1 doubles the map's height and width for few parameters (Luo et al., "Bag of
tricks and a strong baseline for deep person re-identification", 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from mot_dinov3.errors import ModelError
from mot_dinov3.nets.reid.layers import IBN, TripletAttention

ADDED = ".attention."
"""Part of the names of what this project adds to a known architecture."""


class ResNetBackbone(ResNet):  # type: ignore[misc]
    """A torchvision ResNet without pooling and classifier, last stride 1, with its names.

    Args:
        block: kind of residual block.
        depths: blocks of each of the four stages.

    Attributes:
        channels: of the map.
    """

    def __init__(self, block: type[nn.Module], depths: list[int]) -> None:
        super().__init__(block, depths, num_classes=1)
        del self.avgpool, self.fc
        self.channels: int = self.inplanes
        first = self.layer4[0]
        strided = first.conv1 if isinstance(first, BasicBlock) else first.conv2
        strided.stride = first.downsample[0].stride = (1, 1)
        first.stride = 1

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) normalised RGB -> (B, channels, H / 16, W / 16)."""
        maps = self.maxpool(self.relu(self.bn1(self.conv1(pixels))))
        return self.layer4(self.layer3(self.layer2(self.layer1(maps))))


class AttentionBlock(BasicBlock):  # type: ignore[misc]
    """A residual block with IBN-a after its first convolution and triplet attention at its end.

    The last stage has plain batch normalisation, as what is deep tells identities rather than
    cameras apart (Pan et al. 2018, section 3.3).
    """

    def __init__(self, inplanes: int, planes: int, *args: Any, **options: Any) -> None:  # noqa: ANN401 - torchvision's
        super().__init__(inplanes, planes, *args, **options)
        if planes < 512:
            self.bn1 = IBN(planes)
        self.attention = TripletAttention()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(B, inplanes, h, w) -> (B, planes, h / stride, w / stride)."""
        inner = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(maps)))))
        shortcut = maps if self.downsample is None else self.downsample(maps)
        return self.relu(self.attention(inner) + shortcut)


def cares18() -> ResNetBackbone:
    """ResNet-18 with IBN-a and triplet attention; 512 channels."""
    return ResNetBackbone(AttentionBlock, [2, 2, 2, 2])


def resnet18() -> ResNetBackbone:
    """ResNet-18; 512 channels."""
    return ResNetBackbone(BasicBlock, [2, 2, 2, 2])


def resnet50() -> ResNetBackbone:
    """ResNet-50; 2048 channels."""
    return ResNetBackbone(Bottleneck, [3, 4, 6, 3])


def load_classifier(backbone: ResNetBackbone, state: Mapping[str, torch.Tensor]) -> None:
    """Start from the weights of a trained classifier, as torchvision and IBN-Net name them.

    Args:
        backbone: takes every weight but those of its triplet attention, which no classifier has.
        state: the classifier's weights; those of its last layer `fc` are left out.

    Raises:
        ModelError: a weight is missing, left over, or has another shape.
    """
    known = backbone.state_dict()
    given = {name: value for name, value in state.items() if not name.startswith("fc.")}
    wrong = {
        name for name, value in known.items() if name in given and given[name].shape != value.shape
    }
    missing = {name for name in known.keys() - given.keys() if ADDED not in name}
    missing = {name for name in missing if not name.endswith("num_batches_tracked")}
    if problems := sorted(wrong | missing | (given.keys() - known.keys())):
        raise ModelError(
            f"The weights are of another network: {len(problems)} of them do not fit, such as "
            f"'{problems[0]}'.",
            fix="Choose the --backbone that they belong to, or --init none.",
        )
    backbone.load_state_dict(given, strict=False)
