"""A network that finds again, in one picture, what others show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from mot_dinov3.nets.sot.fusion import Comparison, JointBlock, measure_foreground, place_tokens
from mot_dinov3.nets.sot.head import Answer, CenterHead

HEAD_CHANNELS = 64
SUMMARIES = 2
"""Tokens of a template that say how the object looks on the whole."""
KIND_SPREAD, PLACE_WEIGHT = 0.5, 0.3
"""Kinds and places begin as a part of a token: what it looks like decides at first."""


class Maps(NamedTuple):
    """What a backbone says of pictures (B, 3, H, W).

    Attributes:
        fine: (B, C, H / 8, W / 8).
        coarse: (B, D, H / 16, W / 16).
    """

    fine: torch.Tensor
    coarse: torch.Tensor


@dataclass(frozen=True, slots=True)
class FusionShape:
    """How template and search are joined.

    Attributes:
        dim: length of a token.
        layers: of joint attention.
        heads: of attention.
        fused: whether search tokens see those of the template; without it nothing of the template
            reaches the answer, which is the control of a test.
    """

    dim: int = 96
    layers: int = 2
    heads: int = 4
    fused: bool = True


class SotNetwork(nn.Module):  # type: ignore[misc]
    """Backbone, joint attention at stride 16, and a head at stride 8.

    Both get what the maps of the search have in common with the mean look of the object.

    Attributes:
        backbone: pictures -> maps of strides 8 and 16.
        frozen: whether the backbone stays in evaluation mode.
    """

    def __init__(self, backbone: nn.Module, shape: FusionShape, *, frozen: bool = False) -> None:
        """Build all but the backbone with random weights.

        Args:
            backbone: (B, 3, H, W) -> two maps; has `channels`.
            shape: of what joins template and search.
            frozen: the backbone does not learn.
        """
        super().__init__()
        fine, coarse = backbone.channels
        dim = shape.dim
        self.backbone = backbone.requires_grad_(not frozen)
        self.shape, self.frozen = shape, frozen
        self.shrink = nn.Conv2d(fine, dim, 2, stride=2)
        self.project = nn.Conv2d(coarse, dim, 1)
        self.even = nn.LayerNorm(dim)
        self.kinds = nn.Parameter(KIND_SPREAD * torch.randn(3, dim))
        self.compare = Comparison(coarse, dim, dim)
        self.blocks = nn.ModuleList(JointBlock(dim, shape.heads) for _ in range(shape.layers))
        self.after = nn.LayerNorm(dim)
        self.widen = nn.Conv2d(dim, 4 * HEAD_CHANNELS, 1)
        self.detail = nn.Conv2d(fine, HEAD_CHANNELS, 1)
        self.compare_detail = Comparison(fine, dim, HEAD_CHANNELS)
        self.head = CenterHead(HEAD_CHANNELS)
        self.train(self.training)

    def train(self, mode: bool = True) -> SotNetwork:
        """Note the mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def describe(self, pixels: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """The tokens of templates.

        Args:
            pixels: (B, 3, T, T) normalised RGB.
            boxes: (B, 4) xyxy of the objects as shares of T.

        Returns:
            (B, 2 + (T / 16)^2, dim): the mean look of the object at stride 16 and at stride 8,
            then the template's tokens.
        """
        maps = Maps(*self.backbone(pixels))
        near, inside = (measure_foreground(boxes, one.shape[-1]) for one in maps)
        whole = self.compare.describe(maps.coarse, inside)
        detail = self.compare_detail.describe(maps.fine, near)
        _, front, behind = self.kinds
        share = inside[..., None]
        tokens = self._embed(maps) + share * front + (1 - share) * behind
        return torch.cat([whole, detail, tokens], dim=1)

    def find(self, pixels: torch.Tensor, templates: torch.Tensor) -> Answer:
        """Where objects are.

        Args:
            pixels: (B, 3, S, S) normalised RGB, in which to search.
            templates: (B, K, M, dim) tokens of K templates of each object, from `describe`.

        Returns:
            Proposals of (S / 8)^2 places.
        """
        maps = Maps(*self.backbone(pixels))
        tokens, detail = self._embed(maps) + self.kinds[0], self.detail(maps.fine)
        count, side = tokens.shape[1], maps.coarse.shape[-1]
        if self.shape.fused:
            whole, near = templates[:, :, :SUMMARIES].mean(1).unbind(1)
            tokens = tokens + self.compare(maps.coarse, whole).flatten(2).transpose(1, 2)
            detail = detail + self.compare_detail(maps.fine, near)
            tokens = torch.cat([tokens, templates[:, :, SUMMARIES:].flatten(1, 2)], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        coarse = self.after(tokens[:, :count]).transpose(1, 2).unflatten(2, (side, side))
        wide = nn.functional.pixel_shuffle(self.widen(coarse), 2)
        answer: Answer = self.head((wide + detail).relu())
        return answer

    def forward(self, templates: torch.Tensor, boxes: torch.Tensor, search: torch.Tensor) -> Answer:
        """Describe K templates of each object, and find it.

        Args:
            templates: (B, K, 3, T, T) normalised RGB.
            boxes: (B, K, 4) xyxy as shares of T.
            search: (B, 3, S, S) normalised RGB.
        """
        tokens = self.describe(templates.flatten(0, 1), boxes.flatten(0, 1))
        return self.find(search, tokens.unflatten(0, boxes.shape[:2]))

    def _embed(self, maps: Maps) -> torch.Tensor:
        """(B, N, dim) tokens with their places."""
        joined = self.project(maps.coarse) + self.shrink(maps.fine)
        places = place_tokens(joined.shape[-1], joined.shape[1])
        out: torch.Tensor = self.even(joined.flatten(2).transpose(1, 2))
        return out + PLACE_WEIGHT * places.to(out)
