"""OSNet: residual blocks that look at several scales at once, light enough for a CPU.

Zhou, Yang, Cavallaro and Xiang 2019, "Omni-scale feature learning for person re-identification",
https://arxiv.org/abs/1905.00953; letters are the paper's. Parameters are called as in the authors'
own implementation, whose weights therefore load by name.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

SCALES = 4
"""Streams of a block; stream t sees 3, 5, 7 and 9 pixels (the paper's T)."""
WIDTHS = (64, 256, 384, 512)
"""Channels after each stage at width 1."""
GATE_REDUCTION = 16
DIM = 512


class OSNet(nn.Module):  # type: ignore[misc]
    """The convolutions of OSNet: (B, 3, H, W) -> (B, C, H / 16, W / 16).

    Attributes:
        channels: C.
        dim: length that the paper's embeddings have.
    """

    def __init__(self, width: float) -> None:
        """Build it with random weights.

        Args:
            width: multiplies the channels of every stage; the paper has 1, 0.75, 0.5 and 0.25.
        """
        super().__init__()
        first, second, third, self.channels = (round(width * count) for count in WIDTHS)
        self.dim = DIM
        self.conv1 = ConvLayer(3, first, 7, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = _build_stage(first, second, shrink=True)
        self.conv3 = _build_stage(second, third, shrink=True)
        self.conv4 = _build_stage(third, self.channels, shrink=False)
        self.conv5 = ConvLayer(self.channels, self.channels, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) normalised RGB -> (B, C, H / 16, W / 16), not negative."""
        maps = self.maxpool(self.conv1(pixels))
        maps = self.conv4(self.conv3(self.conv2(maps)))
        out: torch.Tensor = self.conv5(maps)
        return out


class ConvLayer(nn.Sequential):  # type: ignore[misc]
    """Convolution, batch norm, ReLU; or without the last, the paper's linear layer."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, linear: bool = False
    ) -> None:
        conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        parts: OrderedDict[str, nn.Module] = OrderedDict(conv=conv, bn=nn.BatchNorm2d(outputs))
        if not linear:
            parts["relu"] = nn.ReLU(inplace=True)
        super().__init__(parts)


class LightConv(nn.Sequential):  # type: ignore[misc]
    """The paper's Lite 3x3: a pointwise and a depthwise convolution, batch norm, ReLU."""

    def __init__(self, channels: int) -> None:
        depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(channels, channels, 1, bias=False),
                conv2=depthwise,
                bn=nn.BatchNorm2d(channels),
                relu=nn.ReLU(inplace=True),
            )
        )


class ChannelGate(nn.Module):  # type: ignore[misc]
    """The aggregation gate G: weighs every channel of a stream by what the stream sees."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, channels // GATE_REDUCTION, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(channels // GATE_REDUCTION, channels, 1)

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """The stream, weighed: G(x) * x."""
        inner = self.relu(self.fc1(self.global_avgpool(stream)))
        out: torch.Tensor = stream * self.fc2(inner).sigmoid()
        return out


class OmniScaleBlock(nn.Module):  # type: ignore[misc]
    """A residual block of four streams, joined by one gate (the paper's figure 4)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        inner = outputs // 4
        self.conv1 = ConvLayer(inputs, inner, 1)
        self.conv2a = LightConv(inner)
        self.conv2b = nn.Sequential(*(LightConv(inner) for _ in range(2)))
        self.conv2c = nn.Sequential(*(LightConv(inner) for _ in range(3)))
        self.conv2d = nn.Sequential(*(LightConv(inner) for _ in range(SCALES)))
        self.gate = ChannelGate(inner)
        self.conv3 = ConvLayer(inner, outputs, 1, linear=True)
        self.downsample = (
            ConvLayer(inputs, outputs, 1, linear=True) if inputs != outputs else nn.Identity()
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(B, inputs, h, w) -> (B, outputs, h, w)."""
        inner = self.conv1(maps)
        streams = [conv(inner) for conv in (self.conv2a, self.conv2b, self.conv2c, self.conv2d)]
        joined = sum((self.gate(stream) for stream in streams[1:]), self.gate(streams[0]))
        out: torch.Tensor = (self.conv3(joined) + self.downsample(maps)).relu()
        return out


def _build_stage(inputs: int, outputs: int, *, shrink: bool) -> nn.Sequential:
    blocks: list[nn.Module] = [OmniScaleBlock(inputs, outputs), OmniScaleBlock(outputs, outputs)]
    if shrink:
        last = ConvLayer(outputs, outputs, 1)
        blocks.append(nn.Sequential(last, nn.AvgPool2d(2, stride=2)))
    return nn.Sequential(*blocks)


def build_quarter() -> OSNet:
    """OSNet x0.25 with random weights."""
    return OSNet(0.25)


def build_whole() -> OSNet:
    """OSNet x1.0 with random weights."""
    return OSNet(1.0)
