"""Backbones of a single-object network: pictures in, maps of strides 8 and 16 out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from mot_dinov3.errors import ModelError
from mot_dinov3.nets.reid.osnet import ConvLayer, OSNet

SIZES = {"tiny": 16, "small": 32, "base": 48}
"""Name of a size -> channels at stride 4; they double with every stride."""
STAGES = 3
"""Of a ConvNeXt: strides 4, 8 and 16; the fourth, of stride 32, is not computed."""


class Maps(NamedTuple):
    """What a backbone says of pictures (B, 3, H, W).

    Attributes:
        fine: (B, C, H / 8, W / 8).
        coarse: (B, D, H / 16, W / 16).
    """

    fine: torch.Tensor
    coarse: torch.Tensor


class ConvMaps(nn.Module):  # type: ignore[misc]
    """A small residual network of our own, to be learned from nothing and quick on a CPU.

    Attributes:
        channels: of the fine and of the coarse map.
    """

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
        return Maps(fine, self.coarse(fine))


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
    """

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
        return Maps(fine, self.coarse(fine))


class ConvNextMaps(nn.Module):  # type: ignore[misc]
    """Stages 2 and 3 of a DINOv3 ConvNeXt of transformers.

    The maps are taken from the stages themselves: `last_hidden_state` of the whole model has a
    pooled token before those of the map, and stride 32.

    Args:
        model: a `DINOv3ConvNextModel`, loaded.

    Attributes:
        channels: of the fine and of the coarse map.

    Raises:
        ModelError: it has another number of stages than such models have.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        sizes = list(model.config.hidden_sizes)
        if len(sizes) < STAGES:
            raise ModelError(
                f"A ConvNeXt of {len(sizes)} stages has no map of stride 16.",
                fix="Give --backbone facebook/dinov3-convnext-tiny-pretrain-lvd1689m.",
            )
        self.channels = int(sizes[1]), int(sizes[2])
        self.stages = nn.ModuleList(model.model.stages[:STAGES])

    def forward(self, pixels: torch.Tensor) -> Maps:
        """(B, 3, H, W) normalised RGB -> maps, normalised at each place."""
        first, second, third = self.stages
        fine = second(first(pixels))
        return Maps(_even_out(fine), _even_out(third(fine)))

    def list_given(self) -> set[str]:
        """Names in `state_dict()` of the weights that the model came with."""
        return {f"stages.{name}" for name in self.stages.state_dict()}


def _even_out(maps: torch.Tensor) -> torch.Tensor:
    """(B, C, h, w) with mean 0 and variance 1 over the channels of each place."""
    last = maps.permute(0, 2, 3, 1)
    even: torch.Tensor = nn.functional.layer_norm(last, last.shape[-1:])
    return even.permute(0, 3, 1, 2)
