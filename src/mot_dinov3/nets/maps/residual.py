"""ResNets of torchvision as backbones of maps, with its names; batch norms do not learn."""

from __future__ import annotations

import torch
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.ops.misc import FrozenBatchNorm2d

from mot_dinov3.nets.maps.convolutions import Maps

DEPTHS = {"resnet18": (BasicBlock, [2, 2, 2, 2]), "resnet50": (Bottleneck, [3, 4, 6, 3])}
"""Name -> kind of block, and how many each of the four stages has."""


class ResNetMaps(ResNet):  # type: ignore[misc]
    """A ResNet without pooling and classifier, with random weights.

    Attributes:
        channels: of each map.
        strides: of each map.
    """

    strides = 8, 16, 32

    def __init__(self, name: str) -> None:
        """Build the network that a name from `DEPTHS` means."""
        block, depths = DEPTHS[name]
        super().__init__(block, depths, num_classes=1, norm_layer=FrozenBatchNorm2d)
        del self.avgpool, self.fc
        self.channels = tuple(wide * block.expansion for wide in (128, 256, 512))

    def forward(self, pixels: torch.Tensor) -> Maps:
        """(B, 3, H, W) normalised RGB -> maps."""
        maps = self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(pixels)))))
        fine = self.layer2(maps)
        middle = self.layer3(fine)
        return fine, middle, self.layer4(middle)
