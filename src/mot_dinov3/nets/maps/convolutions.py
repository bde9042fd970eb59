"""Small convolutional backbones of our own: maps of strides 8 and 16."""

from __future__ import annotations

import torch
from torch import nn

from mot_dinov3.nets.reid.osnet import ConvLayer, OSNet

SIZES = {"tiny": 16, "small": 32, "base": 48}
"""Name of a size -> channels at stride 4; they double with every stride."""
STRIDES = 8, 16
Maps = tuple[torch.Tensor, ...]
"""What a backbone says of pictures (B, 3, H, W): (B, C, H / stride, W / stride), finest first."""


class ConvMaps(nn.Module):  # type: ignore[misc]
    """A small residual network of our own, to be learned from nothing and quick on a CPU.

    Attributes:
        channels: of the fine and of the coarse map.
        strides: of the two.
    """

    strides = STRIDES

    def __init__(self, width: int) -> None:
        """Build it with random weights and `width` channels at stride 4."""
        super().__init__()
        self.channels = 2 * width, 4 * width
        self.stem = nn.Sequential(
            ConvLayer(3, width // 2, 3, stride=2), ConvLayer(width // 2, width, 3, stride=2)
        )
        self.fine = _build_stage(width, 2 * width)
        self.coarse = _build_stage(2 * width, 4 * width)

    def forward(self, pixels: torch.Tensor) -> Maps:
        """(B, 3, H, W) normalised RGB -> maps."""
        fine = self.fine(self.stem(pixels.contiguous(memory_format=torch.channels_last)))
        return fine, self.coarse(fine)


class ResidualBlock(nn.Module):  # type: ignore[misc]
    """Two convolutions beside which the maps pass (He et al. 2016, figure 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvLayer(channels, channels, 3)
        self.second = ConvLayer(channels, channels, 3, linear=True)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w) -> the same shape."""
        out: torch.Tensor = (maps + self.second(self.first(maps))).relu()
        return out


def _build_stage(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(ConvLayer(inputs, outputs, 3, stride=2), ResidualBlock(outputs))


class OsnetMaps(nn.Module):  # type: ignore[misc]
    """The first three stages of an OSNet that has learned to tell identities apart.

    Attributes:
        channels: of the fine and of the coarse map.
        strides: of the two.
    """

    strides = STRIDES

    def __init__(self, trunk: OSNet) -> None:
        """Take over the layers of `trunk`."""
        super().__init__()
        self.stem = nn.Sequential(trunk.conv1, trunk.maxpool)
        self.fine, self.coarse = trunk.conv2, nn.Sequential(trunk.conv3, trunk.conv4)
        last = trunk.conv2[-1][0].conv  # the convolution before the map is halved
        self.channels = int(last.out_channels), int(trunk.channels)

    def forward(self, pixels: torch.Tensor) -> Maps:
        """(B, 3, H, W) normalised RGB -> maps."""
        fine = self.fine(self.stem(pixels.contiguous(memory_format=torch.channels_last)))
        return fine, self.coarse(fine)
