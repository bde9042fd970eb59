"""Joint attention over the tokens of template and search, and what tells them apart.

Ye et al. 2022, "Joint feature learning and relation modeling for tracking: a one-stream
framework" (OSTrack), for the joint attention; Chen et al. 2025, "SUTrack", for the soft types of
template tokens.
"""

from __future__ import annotations

from functools import cache
from math import log

import torch
from torch import nn
from torch.nn.functional import normalize, scaled_dot_product_attention

FIRST_SCALE = 10.0
"""What cosines are multiplied by before the softmax, at first."""
LONGEST_TOKENS = 40.0
"""Wave lengths of positions go up to so many tokens."""
GROWTH = 2
"""Of the inner layer of a block."""
GROUPS, GROUP_WEIGHT = 8, 3.0
"""Cosines of a comparison, and what they are multiplied by."""
LEAST_WEIGHT = 1e-3


class JointBlock(nn.Module):  # type: ignore[misc]
    """Attention of all tokens to all, and a layer for each alone.

    Queries and keys are compared by their cosine and begin with the same weights, so that a token
    attends to those like it before anything is learned: that is what finding again needs.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(dim)
        self.queries, self.keys, self.values = (nn.Linear(dim, dim) for _ in range(3))
        self.keys.load_state_dict(self.queries.state_dict())
        self.scale = nn.Parameter(torch.full((heads, 1, 1), log(FIRST_SCALE)))
        self.join = nn.Linear(dim, dim)
        self.inner = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, GROWTH * dim), nn.ReLU(), nn.Linear(GROWTH * dim, dim)
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, N, dim) -> the same shape."""
        even = self.before(tokens)
        queries = normalize(self._split(self.queries(even)), dim=-1) * self.scale.exp()
        keys = normalize(self._split(self.keys(even)), dim=-1)
        values = self._split(self.values(even))
        found = scaled_dot_product_attention(queries, keys, values, scale=1.0)
        tokens = tokens + self.join(found.transpose(1, 2).flatten(2))
        out: torch.Tensor = tokens + self.inner(tokens)
        return out

    def _split(self, tokens: torch.Tensor) -> torch.Tensor:
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Comparison(nn.Module):  # type: ignore[misc]
    """How like the object each place of a map looks: cosines in a few groups of channels.

    It is the depthwise correlation of SiamRPN++ (Li et al. 2019, section 3.2) with a kernel of one
    place, normalised. Attention alone learns to compare too, but needs far more pictures for it.
    Looks have mean 0 over all places, so that cosines tell places apart from the start.
    """

    def __init__(self, channels: int, dim: int, outputs: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, dim, 1, bias=False)
        self.centre = nn.BatchNorm2d(dim, affine=False)
        self.spread = nn.Conv2d(GROUPS, outputs, 1)

    def describe(self, maps: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """(B, 1, dim) the mean look of maps (B, C, h, w) by weights (B, h * w)."""
        looks = self.centre(self.project(maps)).flatten(2)
        total = weights.sum(1).clamp(min=LEAST_WEIGHT)[:, None]
        mean: torch.Tensor = (looks @ weights[..., None])[..., 0] / total
        return mean[:, None]

    def forward(self, maps: torch.Tensor, look: torch.Tensor) -> torch.Tensor:
        """(B, outputs, h, w) what maps (B, C, h, w) have in common with a look (B, dim)."""
        looks = normalize(self.centre(self.project(maps)).unflatten(1, (GROUPS, -1)), dim=2)
        wanted = normalize(look.unflatten(1, (GROUPS, -1)), dim=2)
        out: torch.Tensor = self.spread(
            GROUP_WEIGHT * torch.einsum("bgchw,bgc->bghw", looks, wanted)
        )
        return out


def measure_foreground(boxes: torch.Tensor, side: int) -> torch.Tensor:
    """How much of each token's square lies in a box.

    Args:
        boxes: (B, 4) xyxy as shares of the picture's side.
        side: tokens across and down the picture.

    Returns:
        (B, side * side) shares, row by row.
    """
    edges = torch.arange(side + 1, device=boxes.device, dtype=boxes.dtype) / side
    low, high = edges[:-1], edges[1:]

    def cover(first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        common = torch.minimum(last[:, None], high) - torch.maximum(first[:, None], low)
        return common.clamp(min=0) * side

    across, down = cover(boxes[:, 0], boxes[:, 2]), cover(boxes[:, 1], boxes[:, 3])
    return (down[:, :, None] * across[:, None, :]).flatten(1)


@cache
def place_tokens(side: int, dim: int) -> torch.Tensor:
    """(side * side, dim) sines and cosines of the places of tokens, counted from the centre."""
    steps = torch.arange(side) - (side - 1) / 2
    rates = (2 * torch.pi) / LONGEST_TOKENS ** (torch.arange(dim // 4) / (dim // 4 - 1))
    waves = steps[:, None] * rates / 2
    line = torch.cat([waves.sin(), waves.cos()], dim=1)
    down = line[:, None, :].expand(side, side, -1)
    across = line[None, :, :].expand(side, side, -1)
    return torch.cat([down, across], dim=2).flatten(0, 1)
