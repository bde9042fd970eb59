"""One frame of a synchronised selective state space model (Samba, Segu et al. 2024).

Each track has a memory that a selective scan (Mamba, Gu and Dao 2023) carries from frame to frame.
The input of a track that was not seen is masked; attention between the tracks then writes into the
memory of each what the others, as far as they were seen lately, went through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 3
"""Frames that the causal convolution looks at."""
RANK = 4
"""Of the matrix that says how far a step goes."""
SLOWEST, FASTEST = 0.02, 0.5
"""Steps at the start, as parts of a memory that is one long."""
FIRST_GAIN = 0.1
"""A synchronisation of full strength at the start drowns what a track remembers of itself."""
HIDDEN = 32
NEWS = 4
"""What tracks say of themselves in common units: surprise x, y, velocity x, y."""
OUTPUTS = 8
"""Centre x, y, width, height, velocity x, y, and log-variance x, y."""
EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class SambaShape:
    """Sizes of the network.

    Attributes:
        tokens: numbers that describe a track in a frame.
        dim: length of a track's description.
        states: memories of each number of it.
        heads: of the attention between tracks.
        synced: whether there is such attention; without, every track is alone.
    """

    tokens: int
    dim: int = 48
    states: int = 8
    heads: int = 2
    synced: bool = True


class Memory(NamedTuple):
    """What is carried from frame to frame.

    Attributes:
        state: (..., T, N, D) of the scan.
        before: (..., T, WIDTH - 1, D) inputs of the last frames.
    """

    state: Tensor
    before: Tensor


class Look(NamedTuple):
    """What is known of T tracks before a frame.

    Attributes:
        tokens: (..., T, F) descriptions.
        seen: (..., T) 1 where a track was seen in the last frame, else 0.
        speaks: (..., T) bool, tracks that others hear.
        places: (..., T, 2) centres, in a unit that all share.
        news: (..., T, NEWS) what moved each, in that unit.
        unit: (..., T) that unit, as a multiple of each track's own box.
        step: (..., 1, 1) time since the last frame, in reference frames.
    """

    tokens: Tensor
    seen: Tensor
    speaks: Tensor
    places: Tensor
    news: Tensor
    unit: Tensor
    step: Tensor


def spread_paces(count: int) -> Tensor:
    """(count,) biases of a softplus that begin with steps from the slowest to the fastest."""
    first = torch.logspace(0, 1, count, 10) / 10 * (FASTEST - SLOWEST) + SLOWEST
    return torch.log(torch.expm1(first))


class SambaCell(nn.Module):  # type: ignore[misc]
    """The network; its outputs are zero before anything was learned."""

    def __init__(self, shape: SambaShape) -> None:
        super().__init__()
        dim, states, heads = shape.dim, shape.states, shape.heads
        self.shape = shape
        self.enter = nn.Linear(shape.tokens, dim)
        self.conv = nn.Parameter(torch.randn(WIDTH, dim) / WIDTH**0.5)
        self.conv_bias = nn.Parameter(torch.zeros(dim))
        self.pace_in = nn.Linear(dim, RANK, bias=False)
        self.pace_out = nn.Linear(RANK, dim)
        self.pace_out.bias.data = spread_paces(dim)
        self.select = nn.Linear(dim, 2 * states, bias=False)
        rates = torch.arange(1, states + 1).float().log().expand(dim, states)
        self.decay_log = nn.Parameter(rates.clone())
        self.skip = nn.Parameter(torch.ones(dim))
        if shape.synced:
            self.ask = nn.Linear(dim, 16 * heads, bias=False)
            self.say = nn.Linear(dim, dim, bias=False)
            self.near = nn.Parameter(torch.zeros(heads))
            self.hear = nn.Linear(heads * NEWS, dim, bias=False)
            self.gain = nn.Parameter(torch.full((dim,), FIRST_GAIN))
            self.write = nn.Parameter(torch.randn(states) / states**0.5)
            self.direct = nn.Linear(heads * NEWS, OUTPUTS, bias=False)
            nn.init.zeros_(self.direct.weight)
        self.even = nn.Parameter(torch.ones(dim))
        self.gate = nn.Linear(dim, dim, bias=False)
        self.mix = nn.Linear(dim + heads * NEWS, HIDDEN)
        self.leave = nn.Linear(HIDDEN, OUTPUTS)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def begin(self, *tracks: int) -> Memory:
        """The memory of tracks (..., T) of which nothing is known."""
        dim, device = self.shape.dim, self.skip.device
        state = torch.zeros(*tracks, self.shape.states, dim, device=device)
        before = torch.zeros(*tracks, WIDTH - 1, dim, device=device)
        return Memory(state, before)

    def forward(self, look: Look, memory: Memory) -> tuple[Tensor, Memory]:
        """Go on by one frame; returns (..., T, OUTPUTS) and the new memory."""
        entered = self.enter(look.tokens)
        window = torch.cat((memory.before, entered.unsqueeze(-2)), dim=-2)
        mixed = (window * self.conv).sum(-2) + self.conv_bias
        x = functional.silu(mixed)
        state, read_out, y = self._scan(x, look, memory.state)
        heard = x.new_zeros(*x.shape[:-1], self.shape.heads * NEWS)
        if self.shape.synced:
            added, heard = self._listen(y, look)
            state = state + added.unsqueeze(-2) * self.write[:, None]
            y = y + added * (read_out @ self.write).unsqueeze(-1)
        even = y * torch.rsqrt((y * y).mean(-1, keepdim=True) + EPSILON) * self.even
        gated = even * functional.silu(self.gate(entered))
        hidden = functional.silu(self.mix(torch.cat((gated, heard), dim=-1)))
        out = self.leave(hidden)
        if self.shape.synced:
            out = out + self.direct(heard)
        return out, Memory(state, window[..., 1:, :])

    def _scan(self, x: Tensor, look: Look, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The state after the frame, what reads it out (..., T, N), and what is read (..., T, D).

        The input of tracks that were not seen is masked: their state goes on by itself.
        """
        pace = functional.softplus(self.pace_out(self.pace_in(x))) * look.step
        write_in, read_out = self.select(x).chunk(2, dim=-1)
        stay = torch.exp(pace.unsqueeze(-2) * -torch.exp(self.decay_log).T)
        push = (pace * x * look.seen.unsqueeze(-1)).unsqueeze(-2) * write_in.unsqueeze(-1)
        state = stay * state + push
        return state, read_out, (read_out.unsqueeze(-2) @ state).squeeze(-2) + self.skip * x

    def _listen(self, y: Tensor, look: Look) -> tuple[Tensor, Tensor]:
        """What tracks hear from others: (..., T, D) for their memory, (..., T, heads * NEWS) news.

        No track hears itself, and one that hears nothing is changed by nothing.
        """
        heads = self.shape.heads
        ask, key = (part.unflatten(-1, (heads, -1)) for part in self.ask(y).chunk(2, dim=-1))
        say = self.say(y).unflatten(-1, (heads, -1))
        score = torch.einsum("...ihc,...jhc->...hij", ask, key) * ask.shape[-1] ** -0.5
        apart = (look.places.unsqueeze(-2) - look.places.unsqueeze(-3)).square().sum(-1)
        score = score + self.near[:, None, None] / (1.0 + apart.unsqueeze(-3))
        count = y.shape[-2]
        others = ~torch.eye(count, dtype=torch.bool, device=y.device)
        heeds = (look.speaks.unsqueeze(-2) & others).unsqueeze(-3)
        weight = torch.softmax(score.masked_fill(~heeds, -1e9), dim=-1) * heeds
        told = torch.einsum("...hij,...jhc->...ihc", weight, say).flatten(-2)
        news = torch.einsum("...hij,...jc->...ihc", weight, look.news).flatten(-2)
        heard = news * look.unit.unsqueeze(-1)
        return (told + self.hear(heard)) * torch.tanh(self.gain), heard
