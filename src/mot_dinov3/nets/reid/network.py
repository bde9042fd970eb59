"""What every re-identification network is made of: backbone, pooling, projection, neck."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from mot_dinov3.nets.reid.layers import GeM


class ReidFeatures(NamedTuple):
    """What a network says of a batch of pictures.

    Attributes:
        pooled: (B, D) before the neck.
        necked: (B, D) after it, where classes are learned.
        vectors: (B, D) the answer, whose cosines are learned and measured: one of the two.
    """

    pooled: torch.Tensor
    necked: torch.Tensor
    vectors: torch.Tensor


class ReidNetwork(nn.Module):  # type: ignore[misc]
    """Pictures in, one vector each out.

    The neck is a batch norm without a shift between the space of the triplet loss and that of the
    classes, which fit together badly (Luo et al. 2019, "Bag of tricks and a strong baseline for
    deep person re-identification", section 3.6). It gives the answer. Where pooled maps are
    projected, the projection does, as that is the embedding that the backbone's authors trained:
    what it knew of other cameras survives there, while the neck takes away the mean of the new
    pictures.

    Args:
        backbone: (B, 3, H, W) -> (B, backbone.channels, h, w).
        dim: length of the vectors where pooled maps are projected; 0 for the maps' own channels.
        power: exponent that the pooling starts from, see `GeM`.

    Attributes:
        dim: length of the vectors.
        projects: whether pooled maps are projected.
    """

    def __init__(self, backbone: nn.Module, dim: int = 0, power: float = 3.0) -> None:
        super().__init__()
        self.backbone = backbone
        self.pool = GeM(power)
        self.dim: int = dim or int(backbone.channels)
        self.projects = bool(dim)
        self.project: nn.Module = nn.Identity()
        if dim:
            linear = nn.Linear(int(backbone.channels), dim)
            self.project = nn.Sequential(linear, nn.BatchNorm1d(dim), nn.ReLU())
        self.neck = nn.BatchNorm1d(self.dim)
        self.neck.bias.requires_grad_(False)
        nn.init.constant_(self.neck.running_var, 1 - self.neck.eps)  # changes nothing at first

    def describe(self, pixels: torch.Tensor) -> ReidFeatures:
        """(B, 3, H, W) normalised RGB -> features before and after the neck."""
        pooled = self.project(self.pool(self.backbone(pixels)))
        necked = self.neck(pooled)
        return ReidFeatures(pooled, necked, pooled if self.projects else necked)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) normalised RGB -> (B, D) vectors of any length, compared by their cosine."""
        return self.describe(pixels).vectors
