"""A small vision transformer that learns from few crops, for any size in whole patches."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import interpolate, scaled_dot_product_attention


class Block(nn.Module):  # type: ignore[misc]
    """Attention and a perceptron, each normalised before and added to what came in.

    Args:
        width: of a token.
        heads: of the attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, N, width) -> the same shape."""
        heads = self.qkv(self.norm1(tokens)).unflatten(-1, (3, self.heads, -1))
        seen = scaled_dot_product_attention(*heads.permute(2, 0, 3, 1, 4).unbind(0))
        tokens = tokens + self.out(seen.transpose(1, 2).flatten(2))
        return tokens + self.mlp(self.norm2(tokens))


class SmallViT(nn.Module):  # type: ignore[misc]
    """A vision transformer whose tokens are a map (Dosovitskiy et al. 2021); no class token.

    Args:
        grid: patches in height and width of the crops that it is made for; the positions of any
            other size are interpolated.
        patch: edge in pixels.
        width: of a token.
        depth: number of blocks.
        heads: of each attention.

    Attributes:
        channels: of the map.
    """

    def __init__(
        self,
        grid: tuple[int, int] = (16, 8),
        patch: int = 16,
        width: int = 192,
        depth: int = 6,
        heads: int = 3,
    ) -> None:
        super().__init__()
        self.channels = width
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.positions = nn.Parameter(torch.empty(1, width, *grid))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        nn.init.trunc_normal_(self.positions, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) normalised RGB, in whole patches -> (B, channels, H / 16, W / 16)."""
        maps = self.patches(pixels)
        maps = maps + interpolate(self.positions, maps.shape[-2:], mode="bicubic")
        tokens = self.norm(self.blocks(maps.flatten(2).transpose(1, 2)))
        return tokens.transpose(1, 2).reshape(maps.shape)


def vit_small() -> SmallViT:
    """Six blocks of width 192 over patches of 16 pixels, for crops of 256 x 128."""
    return SmallViT()
