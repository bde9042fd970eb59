"""The Samba updater: selective scans over frames, synchronised between tracks (Segu et al. 2024).

Every track has its own scan (Mamba, Gu and Dao 2023), one step a frame. Attention between the
tracks, channel by channel, then writes into the state of each what the others went through. The
input of a track that was not seen is masked, and its state goes on by itself.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from mot_dinov3.nets.motr.updaters import Layers, Seen, Updater, Widening, attend
from mot_dinov3.nets.samba.cell import FIRST_GAIN, spread_paces

EXPANSION = 2
WINDOW = 4
"""Frames that the causal convolution looks at."""
RANK_SHARE = 16
FIRST_RENEWAL = 0.3
"""What a frame adds to a content at first; with 1, a track would have forgotten in four frames."""
WIDE = 8
"""Width of the feed-forward layer of the synchronisation, in states."""


class SambaUpdater(Updater):
    """Contents that follow from a synchronised state; each adds to the content before it.

    Args:
        dim: length of a content.
        states: memories of each channel.
        layers: scans one behind the other.
    """

    def __init__(self, dim: int, states: int = 8, layers: int = 2) -> None:
        super().__init__()
        self.query_pos_head = Layers(2 * dim, dim, dim)
        self.layers = nn.ModuleList([SambaLayer(dim, states) for _ in range(layers)])
        self.norm_f = nn.LayerNorm(dim)
        self.content_norm = nn.LayerNorm(dim)
        self.renewal = nn.Parameter(torch.full((dim,), FIRST_RENEWAL))

    def begin(self, output: Tensor) -> tuple[Tensor, ...]:
        """Nothing is remembered yet."""
        first = self.layers[0].mixer
        count, depth = len(output), len(self.layers)
        state = output.new_zeros(count, depth, first.channels, first.states)
        return state, output.new_zeros(count, depth, WINDOW, first.channels)

    def forward(
        self, content: Tensor, memory: tuple[Tensor, ...], now: Seen
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """All contents are renewed, also those of tracks that were not seen."""
        x = now.output * now.seen.unsqueeze(-1)
        place = self.query_pos_head(now.place)
        states, windows = [], []
        for depth, layer in enumerate(self.layers):
            before = memory[0][:, :, depth], memory[1][:, :, depth]
            x, (state, window) = layer(x + place, before, now.there)
            states.append(state)
            windows.append(window)
        renewed = self.content_norm(content + self.renewal * self.norm_f(x))
        return renewed, (torch.stack(states, dim=2), torch.stack(windows, dim=2))


class SambaLayer(nn.Module):  # type: ignore[misc]
    """A scan, and what passes beside it."""

    def __init__(self, dim: int, states: int) -> None:
        super().__init__()
        self.mixer = SambaScan(dim, states)
        self.norm = nn.LayerNorm(dim)

    def forward(
        self, x: Tensor, memory: tuple[Tensor, Tensor], there: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(B, T, D) and the memory before the frame -> the same after it."""
        out, memory = self.mixer(self.norm(x), memory, there)
        return x + out, memory


class SambaScan(nn.Module):  # type: ignore[misc]
    """One step of a selective scan for each track, then synchronisation of their states.

    Attributes:
        channels: width of the scan.
        states: memories of each channel.
    """

    def __init__(self, dim: int, states: int) -> None:
        super().__init__()
        self.channels, self.states = EXPANSION * dim, states
        self.rank = math.ceil(dim / RANK_SHARE)
        self.in_proj = nn.Linear(dim, 2 * self.channels, bias=False)
        self.conv1d = nn.Conv1d(self.channels, self.channels, WINDOW, groups=self.channels)
        self.x_proj = nn.Linear(self.channels, self.rank + 2 * states, bias=False)
        self.dt_proj = nn.Linear(self.rank, self.channels)
        self.dt_proj.bias.data = spread_paces(self.channels)
        self.A_log = nn.Parameter(torch.arange(1.0, states + 1).log().repeat(self.channels, 1))
        self.D = nn.Parameter(torch.ones(self.channels))
        self.out_proj = nn.Linear(self.channels, dim, bias=False)
        self.input_layernorm = nn.LayerNorm(self.channels)
        self.self_attn = nn.MultiheadAttention(states, math.gcd(states, 8), batch_first=True)
        self.ffn = Widening(states, WIDE * states)
        self.pre_norm, self.norm = nn.LayerNorm(states), nn.LayerNorm(states)
        self.position_embedding = nn.Parameter(torch.randn(self.channels, states))
        self.pos_emb_scaling = nn.Parameter(torch.zeros(1))
        self.sync_scaling = nn.Parameter(torch.full((1,), math.log(FIRST_GAIN)))

    def forward(
        self, x: Tensor, memory: tuple[Tensor, Tensor], there: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(B, T, D), and the memory: state (B, T, E, N), last inputs (B, T, WINDOW, E)."""
        state, window = memory
        entered, gate = self.in_proj(x).chunk(2, dim=-1)
        window = torch.cat((window[..., 1:, :], entered.unsqueeze(-2)), dim=-2)
        mixed = (window * self.conv1d.weight[:, 0].T).sum(-2) + self.conv1d.bias
        u = self.input_layernorm(functional.silu(mixed))
        pace, write_in, read_out = self.x_proj(u).split(
            (self.rank, self.states, self.states), dim=-1
        )
        pace = functional.softplus(self.dt_proj(pace))
        stay = torch.exp(pace.unsqueeze(-1) * -torch.exp(self.A_log))
        state = stay * state + (pace * u).unsqueeze(-1) * write_in.unsqueeze(-2)
        state = state + self.sync_scaling.exp() * self._synchronise(state, there)
        y = (state @ read_out.unsqueeze(-1)).squeeze(-1) + self.D * u
        return self.out_proj(y * functional.silu(gate)), (state, window)

    def _synchronise(self, state: Tensor, there: Tensor) -> Tensor:
        """What the states (B, T, E, N) of tracks say to one another, each channel by itself."""
        batch, tracks, channels, states = state.shape
        token = state.transpose(1, 2).reshape(batch * channels, tracks, states)
        channel = self.position_embedding * self.pos_emb_scaling.exp()
        named = self.pre_norm(token) + channel.repeat(batch, 1).unsqueeze(1)
        every = there.repeat_interleave(channels, dim=0)
        heard = self.ffn(self.norm(token + attend(self.self_attn, (named, named, token), every)))
        back: Tensor = heard.view(batch, channels, tracks, states).transpose(1, 2)
        return back
