"""How tracks are followed while a network learns: what `SambaMotion` does, in tensors.

The filters are those of `tracking/motion/kalman.py` with their usual settings; what is said there
holds here. Their variances carry no gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from mot_dinov3.config import MotionConfig
from mot_dinov3.nets.samba.cell import Look, Memory, SambaCell
from mot_dinov3.tracking.motion.kalman import FIRST_POSITION, FIRST_VELOCITY
from mot_dinov3.tracking.motion.samba_network import (
    MOST_MISSES,
    POSITION_SCALE,
    REACH,
    TOKEN_SCALE,
    VELOCITY_SCALE,
)

SHIFT_TRACKS = 4
"""A shift that fewer boxes share is their own motion."""
SHIFT_DOUBT = 9.0 * (1.25 * 1.4826) ** 2
KNOWN_HITS = 3


class Filters(NamedTuple):
    """Constant-velocity filters of (B, T) boxes, each (B, T, 4)."""

    position: Tensor
    velocity: Tensor
    var_position: Tensor
    covariance: Tensor
    var_velocity: Tensor


class Past(NamedTuple):
    """What tokens tell of tracks, (B, T) each but for two.

    Attributes:
        started: 1 for tracks that there are.
        seen: 1 for those seen in the last frame.
        score: of that detection.
        misses: frames in a row in which a track was not seen.
        age: reference frames since it was first seen.
        hits: frames in which it was seen.
        surprise: (B, T, 4) what its last prediction missed by, in pixels, 0 if unseen.
        moved: (B, 1, 2) shift of the last frame in pixels.
    """

    started: Tensor
    seen: Tensor
    score: Tensor
    misses: Tensor
    age: Tensor
    hits: Tensor
    surprise: Tensor
    moved: Tensor


class Forecast(NamedTuple):
    """Predictions of L frames, before anything of them was seen.

    Attributes:
        position: (L, B, T, 4) centre and size.
        variance: (L, B, T, 2) of the centre.
        known: (L, B, T) 1 where there is a prediction.
    """

    position: Tensor
    variance: Tensor
    known: Tensor


def roll_out(cell: SambaCell, batch: Mapping[str, Tensor], noise: MotionConfig) -> Forecast:
    """Follow the tracks of a batch of clips, see `draw_clips`."""
    step, steady = batch["step"][:, None, None], batch["steady"][:, None, None]
    filters, past, memory = _begin(cell, batch)
    positions, variances, known = [], [], []
    for frame in range(len(batch["truth"])):
        if frame:
            filters, past, memory, spread = _predict(cell, (filters, past, memory), step, noise)
            shift = steady * _share_shift(filters, past, batch, frame)
            position = filters.position + torch.cat((shift, torch.zeros_like(shift)), dim=-1)
            filters, past = filters._replace(position=position), past._replace(moved=shift)
            positions.append(position)
            variances.append(spread)
            known.append(past.started)
        filters, past, memory = _observe((filters, past, memory), batch, frame, noise)
    return Forecast(torch.stack(positions), torch.stack(variances), torch.stack(known))


State = tuple[Filters, Past, Memory]


def _begin(cell: SambaCell, batch: Mapping[str, Tensor]) -> State:
    zeros = torch.zeros_like(batch["seen"][0])
    filters = Filters(zeros + 1.0, zeros, zeros + 1.0, zeros, zeros + 1.0)
    nothing = zeros[..., 0]
    still = zeros[:, :1, :2]
    past = Past(nothing, nothing, nothing, nothing, nothing, nothing, zeros, still)
    return filters, past, cell.begin(*nothing.shape)


def _size(position: Tensor) -> Tensor:
    """(B, T, 1) root of the area."""
    return (position[..., 2:3] * position[..., 3:4]).clamp(min=1.0).sqrt()


def look_around(filters: Filters, past: Past, step: Tensor) -> Look:
    """What the network is told; `SambaMotion` says the same in numpy."""
    position, unit = filters.position, _size(filters.position)
    speaks = (past.misses <= MOST_MISSES) & (past.started > 0)
    common = _common_unit(unit[..., 0], speaks, past.started > 0)[..., None]
    velocity = (TOKEN_SCALE * filters.velocity / unit).clamp(-5, 5)
    surprise = (TOKEN_SCALE * past.surprise / unit).clamp(-5, 5)
    moved = (TOKEN_SCALE * past.moved / unit).clamp(-5, 5)
    numbers = (
        past.seen,
        past.score,
        step[..., 0].expand_as(past.seen) / 2,
        torch.log1p(past.misses) / 3,
        torch.log1p(past.age) / 3,
        torch.log(position[..., 3] / position[..., 2]),
    )
    tokens = torch.cat((velocity, surprise, moved, torch.stack(numbers, dim=-1)), dim=-1)
    both = torch.cat((surprise[..., :2], velocity[..., :2]), dim=-1)
    return Look(
        tokens=tokens,
        seen=past.seen,
        speaks=speaks,
        places=position[..., :2] / common,
        news=both * unit / common,
        unit=(common / unit)[..., 0],
        step=step,
    )


def _common_unit(unit: Tensor, speaks: Tensor, started: Tensor) -> Tensor:
    """(B, 1) geometric mean of the sizes of tracks that speak, of all where none does."""
    counted = torch.where(speaks.any(-1, keepdim=True), speaks, started).float()
    total = (unit.log() * counted).sum(-1, keepdim=True)
    return torch.exp(total / counted.sum(-1, keepdim=True).clamp(min=1.0))


def _predict(
    cell: SambaCell, state: State, step: Tensor, noise: MotionConfig
) -> tuple[Filters, Past, Memory, Tensor]:
    filters, past, memory = state
    out, memory = cell(look_around(filters, past, step), memory)
    coasts = 1.0 - past.seen.unsqueeze(-1)
    out = coasts * REACH * torch.tanh(out / REACH)
    unit = _size(filters.position)
    velocity = filters.velocity
    sides = velocity[..., 2:] * (1.0 - coasts)
    centre = velocity[..., :2] * torch.where(coasts > 0, noise.damping**step, torch.ones(()))
    velocity = torch.cat((centre, sides), dim=-1)
    var_position, covariance, var_velocity = filters[2:]
    fixed = unit.detach()
    var_position = var_position + step * (2 * covariance + step * var_velocity)
    var_position = var_position + step * (noise.position_noise * fixed) ** 2
    covariance = covariance + step * var_velocity
    var_velocity = var_velocity + step * (noise.velocity_noise * fixed) ** 2
    position = filters.position + step * velocity + step * unit * POSITION_SCALE * out[..., :4]
    position = torch.cat((position[..., :2], position[..., 2:].clamp(min=1.0)), dim=-1)
    change = step * unit * VELOCITY_SCALE * out[..., 4:6]
    velocity = torch.cat((velocity[..., :2] + change, velocity[..., 2:]), dim=-1)
    measured = (noise.measurement_noise * fixed) ** 2
    spread = (var_position[..., :2] + measured) * torch.exp(out[..., 6:])
    filters = Filters(position, velocity, var_position, covariance, var_velocity)
    return filters, past, memory, spread


def _share_shift(filters: Filters, past: Past, batch: Mapping[str, Tensor], frame: int) -> Tensor:
    """(B, 1, 2) the shift that boxes seen share, as `tracking/camera/steady.py` finds it."""
    well_known = (past.hits >= KNOWN_HITS) & (past.seen > 0) & (batch["observed"][frame] > 0)
    misses = (batch["seen"][frame] - filters.position)[..., :2].detach()
    misses = misses.masked_fill(~well_known.unsqueeze(-1), float("nan"))
    shift = misses.nanmedian(dim=1, keepdim=True).values
    spread = (misses - shift).abs().nanmedian(dim=1, keepdim=True).values
    count = well_known.sum(dim=1)[:, None, None]
    doubt = SHIFT_DOUBT * spread**2 / count.clamp(min=1)
    shrunk = shift * shift**2 / (shift**2 + doubt).clamp(min=1e-12)
    return torch.where(count >= SHIFT_TRACKS, shrunk, torch.zeros(())).nan_to_num()


def _observe(state: State, batch: Mapping[str, Tensor], frame: int, noise: MotionConfig) -> State:
    filters, past, memory = state
    boxes, observed = batch["seen"][frame], batch["observed"][frame] > 0
    new = observed & (past.started == 0)
    surprise = torch.where((observed & ~new).unsqueeze(-1), boxes - filters.position, 0.0)
    corrected = _correct(filters, boxes, noise)
    begun = _start(boxes, noise)
    old = (observed & ~new).unsqueeze(-1)
    mixed = Filters(
        *(
            torch.where(new.unsqueeze(-1), first, torch.where(old, after, before))
            for first, after, before in zip(begun, corrected, filters, strict=True)
        )
    )
    seen = observed.float()
    started = torch.maximum(past.started, seen)
    keep = (past.started > 0).float()
    past = Past(
        started=started,
        seen=seen,
        score=batch["score"][frame] * seen,
        misses=(past.misses + 1.0) * (1.0 - seen) * started,
        age=(past.age + batch["step"][:, None]) * keep,
        hits=past.hits + seen,
        surprise=surprise,
        moved=past.moved,
    )
    state_kept = memory.state * keep[..., None, None]
    before_kept = memory.before * keep[..., None, None]
    return mixed, past, Memory(state_kept, before_kept)


def _correct(filters: Filters, boxes: Tensor, noise: MotionConfig) -> Filters:
    measured = (noise.measurement_noise * _size(filters.position.detach())) ** 2
    spread = filters.var_position + measured
    gain, gain_velocity = filters.var_position / spread, filters.covariance / spread
    innovation = boxes - filters.position
    return Filters(
        position=filters.position + gain * innovation,
        velocity=filters.velocity + gain_velocity * innovation,
        var_position=filters.var_position * (1 - gain),
        covariance=filters.covariance * (1 - gain),
        var_velocity=filters.var_velocity - gain_velocity * filters.covariance,
    )


def _start(boxes: Tensor, noise: MotionConfig) -> Filters:
    size, zeros = _size(boxes), torch.zeros_like(boxes)
    var_position = zeros + (FIRST_POSITION * noise.measurement_noise * size) ** 2
    var_velocity = zeros + (FIRST_VELOCITY * noise.velocity_noise * size) ** 2
    return Filters(boxes, zeros, var_position, zeros, var_velocity)
