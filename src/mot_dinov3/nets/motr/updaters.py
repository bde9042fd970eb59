"""What becomes of track queries after a frame: three kinds of memory with one shape."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

HEADS = 8
WIDENING = 4
SLOWNESS = 0.01
"""Part of a frame in the long memory of MeMOTR (Gao and Wang 2023, section 3.3)."""


class Seen(NamedTuple):
    """What a frame showed of T tracks in each of B pictures.

    Attributes:
        output: (B, T, D) the decoder's answers.
        place: (B, T, 2 D) waves that say where each track is.
        seen: (B, T) whether the frame showed it.
        there: (B, T) whether there is such a track; others fill up.
    """

    output: Tensor
    place: Tensor
    seen: Tensor
    there: Tensor


class Updater(nn.Module):  # type: ignore[misc]
    """Asks again for what the decoder answered: no memory, whatever was seen."""

    def begin(self, output: Tensor) -> tuple[Tensor, ...]:
        """The memory of tracks that begin with these answers (T, D)."""
        return ()

    def forward(
        self, content: Tensor, memory: tuple[Tensor, ...], now: Seen
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Contents (B, T, D) and memory for the next frame.

        Args:
            content: (B, T, D) what was asked for in this frame.
            memory: as `begin` or this method made it, for B pictures.
            now: what the frame showed.
        """
        return now.output, memory


class LongMemory(Updater):
    """MeMOTR's: a slow average of each track, and attention between tracks (Gao and Wang 2023).

    Args:
        dim: length of a content.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.confidence_weight_net = nn.Sequential(Layers(dim, dim, dim), nn.Sigmoid())
        self.short_memory_fusion = Layers(2 * dim, 2 * dim, dim)
        self.memory_attn = nn.MultiheadAttention(dim, HEADS, batch_first=True)
        self.memory_norm = nn.LayerNorm(dim)
        self.memory_ffn = Widening(dim, WIDENING * dim)
        self.query_feat_norm = nn.LayerNorm(dim)
        self.query_feat_ffn = Widening(dim, WIDENING * dim)
        self.query_pos_head = Layers(2 * dim, dim, dim)

    def begin(self, output: Tensor) -> tuple[Tensor, ...]:
        """A track is what it was first."""
        return output, output

    def forward(
        self, content: Tensor, memory: tuple[Tensor, ...], now: Seen
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """A track that was not seen keeps its memory; its content follows from it all the same."""
        long, last = memory
        output, seen = now.output, now.seen.unsqueeze(-1)
        weighed = self.confidence_weight_net(output) * output
        place = self.query_pos_head(now.place)
        ask = self.short_memory_fusion(torch.cat((weighed, last), dim=-1)) + place
        heard = attend(self.memory_attn, (ask, long + place, output), now.there)
        heard = self.memory_ffn(self.memory_norm(output + heard))
        renewed = self.query_feat_ffn(self.query_feat_norm(long + heard))
        slow = (1 - SLOWNESS) * long + SLOWNESS * output
        memory = torch.where(seen, slow, long), torch.where(seen, output, last)
        return torch.where(seen, renewed, content), memory


def attend(
    attention: nn.MultiheadAttention, what: tuple[Tensor, Tensor, Tensor], there: Tensor
) -> Tensor:
    """Attention between tracks: query, key and value (B, T, D) of those that are there (B, T)."""
    nothing = ~there & there.any(-1, keepdim=True)  # a row of padding alone has to heed something
    heard: Tensor = attention(*what, key_padding_mask=nothing, need_weights=False)[0]
    return heard


class Layers(nn.Module):  # type: ignore[misc]
    """Two linear layers with a step between them."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)])

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        out: Tensor = self.layers[1](self.layers[0](x).relu())
        return out


class Widening(nn.Module):  # type: ignore[misc]
    """The feed-forward layer of a transformer, with what passes beside it and a norm."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        out: Tensor = self.norm(x + self.linear2(self.linear1(x).relu()))
        return out
