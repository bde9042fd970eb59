"""A backbone of three convolutions, so that a step of training takes milliseconds."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

TABLE_ROW = ("helpers.tiny_backbone:TinyBackbone", "three convolutions")


class TinyBackbone(nn.Module):
    """(B, 3, H, W) -> (B, 32, H / 8, W / 8), with batch norm as the real ones have."""

    channels = 32

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 12, 24, self.channels)
        parts = []
        for inputs, outputs in pairwise(widths):
            conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
            parts += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
        self.layers = nn.Sequential(*parts)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.layers(pixels)
