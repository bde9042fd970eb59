"""Where a track looks first: the places around its box that resemble what it remembers.

Deformable attention decides from a query alone which places it samples, and compares nothing. A
track that is hidden by another one has to compare, so attention over the maps does it beforehand.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

HEADS = 4
FIRST_SCALE = 8.0
"""Of cosines at first, before the softmax."""
FIRST_NARROWNESS = 0.7
"""How much less a place counts a box away, at first."""
FIRST_SHIFT = 0.1
LEAST_SIDE = 0.02
"""Of a box, as a share of the picture."""


class Surroundings(NamedTuple):
    """The maps as the decoder has them.

    Attributes:
        tokens: (B, S, D) what each place shows.
        places: (B, S, 2) where it is, as shares of the picture.
        shown: (B, S) whether the picture is there.
    """

    tokens: Tensor
    places: Tensor
    shown: Tensor


class Resemblance(NamedTuple):
    """Where tracks looked.

    Attributes:
        share: (B, T, S) how much of it each place is; empty without tracks.
        looks: (B, T, S) how much each place looks like them, wherever it is.
        places: (B, S, 2) where it is, as shares of the picture.
    """

    share: Tensor
    looks: Tensor
    places: Tensor


class Search(nn.Module):  # type: ignore[misc]
    """Attention from contents to places.

    Args:
        dim: length of a content and of a token.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.ask, self.key, self.say = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.scale = nn.Parameter(torch.full((HEADS,), FIRST_SCALE))
        self.narrow = nn.Parameter(torch.full((HEADS,), FIRST_NARROWNESS))
        self.shift = nn.Parameter(torch.full((HEADS,), FIRST_SHIFT))
        self.leave = nn.Linear(dim, dim)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(
        self, content: Tensor, boxes: Tensor, around: Surroundings
    ) -> tuple[Tensor, Tensor, Resemblance]:
        """Look for T tracks in each of B pictures.

        Args:
            content: (B, T, D) what they remember.
            boxes: (B, T, 4) where they were, centre and size.
            around: the maps.

        Returns:
            (B, T, D) what was found, (B, T, 4) where to look closer, and where they looked.
        """
        ask, key, say = (
            layer(x).unflatten(-1, (HEADS, -1))
            for layer, x in (
                (self.ask, content),
                (self.key, around.tokens),
                (self.say, around.tokens),
            )
        )
        ask, key = (nn.functional.normalize(one, dim=-1) for one in (ask, key))
        alike = torch.einsum("bthc,bshc->bhts", ask, key) * self.scale[:, None, None]
        centre, sides = boxes.split(2, dim=-1)
        sides = sides.clamp(min=LEAST_SIDE)
        apart = ((around.places[:, None] - centre[:, :, None]) / sides[:, :, None] / 2).square()
        far = apart.sum(-1)[:, None] * self.narrow.square()[:, None, None]
        score = (alike - far).masked_fill(~around.shown[:, None, None], -1e9)
        weight = score.softmax(dim=-1)
        found = torch.einsum("bhts,bshc->bthc", weight, say).flatten(-2)
        spots = torch.einsum("bhts,bsc->bthc", weight, around.places) - centre.unsqueeze(2)
        moved = centre + (spots * self.shift[:, None]).sum(2)
        where = Resemblance(weight.mean(1), alike.mean(1), around.places)
        return self.leave(found), torch.cat((moved, boxes[..., 2:]), -1), where


def lay_out(shapes: list[tuple[int, int]], valid: Tensor) -> Tensor:
    """(B, S, 2) the middles of all cells of the maps, as shares of pictures without padding.

    Args:
        shapes: height and width of each map.
        valid: (B, L, 2) part of each map, across and down, that the picture fills.
    """
    out = []
    for level, (height, width) in enumerate(shapes):
        across = (torch.arange(width, device=valid.device) + 0.5) / width
        down = (torch.arange(height, device=valid.device) + 0.5) / height
        grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1).flatten(0, 1)
        out.append(grid / valid[:, level, None])
    return torch.cat(out, dim=1)
