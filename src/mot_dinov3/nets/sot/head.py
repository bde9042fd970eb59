"""The head that says where an object's centre is, and how large it is.

Zhou et al. 2019, "Objects as points" (CenterNet), as OSTrack (Ye et al. 2022) uses it.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import torch
from torch import nn

from mot_dinov3.nets.reid.osnet import ConvLayer

RARE = 0.01
"""Share of places that are a centre, which the head believes before it has learned."""


class Answer(NamedTuple):
    """Where a network finds objects in search pictures; each of s x s places has a proposal.

    Attributes:
        logits: (B, s, s) whether the centre is there, before the sigmoid.
        boxes: (B, 4, s, s) xyxy as shares of the picture's side.
    """

    logits: torch.Tensor
    boxes: torch.Tensor


class CenterHead(nn.Module):  # type: ignore[misc]
    """Score, offset of the centre within its place, and size, from one map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ConvLayer(channels, channels, 3),
            ConvLayer(channels, channels, 3),
            nn.Conv2d(channels, 5, 1),
        )
        with torch.no_grad():
            self.layers[-1].bias[0] = log(RARE / (1 - RARE))

    def forward(self, maps: torch.Tensor) -> Answer:
        """(B, C, s, s) -> the proposals of all places."""
        raw = self.layers(maps).float()
        side = maps.shape[-1]
        shares = raw[:, 1:].sigmoid()
        corners = torch.arange(side, device=raw.device, dtype=raw.dtype) / side
        x = corners[None, None, :] + shares[:, 0] / side
        y = corners[None, :, None] + shares[:, 1] / side
        half_w, half_h = shares[:, 2] / 2, shares[:, 3] / 2
        boxes = torch.stack([x - half_w, y - half_h, x + half_w, y + half_h], dim=1)
        return Answer(raw[:, 0], boxes)
