"""`occlusion`: people vanish behind hoardings and stalls for seconds, and come out elsewhere.

On each of two rows stand two barriers. People walk behind one, stay there for two seconds or more,
come out on either side, stop, and vanish again behind the same one or the other. The two at the
back are joined by a way out of sight: who goes in on the left may come out on the right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.synthetic.barriers import BODY_M, draw_hoarding, draw_stall
from mot_dinov3.data.synthetic.looks import cast_people
from mot_dinov3.data.synthetic.motion import metre_at
from mot_dinov3.data.synthetic.paint import Point, Sprite
from mot_dinov3.data.synthetic.pedestrians import (
    create_pedestrian_world,
    create_planner,
    plan_length_s,
)
from mot_dinov3.data.synthetic.presets.base import Preset
from mot_dinov3.data.synthetic.routes import Route
from mot_dinov3.data.synthetic.scenery import Occluder
from mot_dinov3.data.synthetic.world import ClipConfig, World


@dataclass(frozen=True, slots=True)
class BarrierRow:
    """Two barriers side by side, and the people who go behind them.

    Attributes:
        y: foot line of the barriers.
        shares: where their middles stand, as shares of the picture's width.
        width_m: how wide each is.
        people: how many people there are.
        joined: how often a stay leads unseen from one barrier to the other.
        paint: draws a barrier.
    """

    y: float
    shares: tuple[float, float]
    width_m: float
    people: int
    joined: float
    paint: Callable[[np.random.Generator, float], Sprite]


ROWS = (
    BarrierRow(0.447, (0.2, 0.78), 3.8, 8, 0.4, draw_hoarding),
    BarrierRow(0.87, (0.25, 0.76), 2.2, 6, 0.0, draw_stall),
)
_HIDDEN_S, _OUTSIDE_S = (2.1, 4.5), (0.2, 1.5)
_OUT_M, _DEPTH = (0.6, 3.0), (0.010, 0.05)
_EDGE, _STAGGER_S = 0.06, 6.0


def build(clip: ClipConfig) -> World:
    """The world of a clip."""
    rng = create_planner(clip.seed)
    looks = cast_people(rng, sum(row.people for row in ROWS))
    rows = [row for row in ROWS for _ in range(row.people)]
    trips = []
    for row, look in zip(rows, looks, strict=True):
        side = int(rng.integers(2))
        start_s = float(rng.uniform(-_STAGGER_S, 0.0))
        route = Route(start_s, _outside(rng, row, side, clip.aspect), look.pace_mps)
        while route.time_s < plan_length_s(clip):
            side = _stay(rng, route, row, side, clip.aspect)
        trips.append(route.trip())
    things = [
        Occluder(row.paint(rng, row.width_m), share * clip.aspect, row.y)
        for row in ROWS
        for share in row.shares
    ]
    return create_pedestrian_world(clip, looks, trips, things)


def _stay(rng: np.random.Generator, route: Route, row: BarrierRow, side: int, aspect: float) -> int:
    """In behind a barrier, a stay, out again; returns the number of the next barrier."""
    route.go(_behind(rng, row, side, aspect))
    hidden_s = float(rng.uniform(*_HIDDEN_S))
    if rng.random() < row.joined:
        side = 1 - side
        route.vanish(_behind(rng, row, side, aspect), hidden_s)
    else:
        route.wait(hidden_s)
    route.go(_outside(rng, row, side, aspect))
    route.wait(float(rng.uniform(*_OUTSIDE_S)))
    return int(rng.integers(2))


def _behind(rng: np.random.Generator, row: BarrierRow, side: int, aspect: float) -> Point:
    half = (row.width_m / 2 - BODY_M) * metre_at(row.y)
    x = row.shares[side] * aspect + float(rng.uniform(-half, half))
    return x, row.y - float(rng.uniform(*_DEPTH))


def _outside(rng: np.random.Generator, row: BarrierRow, side: int, aspect: float) -> Point:
    """A place in the open beside a barrier, within the picture."""
    metre, way = metre_at(row.y), float(rng.choice([-1, 1]))
    out = row.width_m / 2 + BODY_M + float(rng.uniform(*_OUT_M))
    x = row.shares[side] * aspect + way * out * metre
    return float(np.clip(x, _EDGE, aspect - _EDGE)), row.y - float(rng.uniform(*_DEPTH))


PRESET = Preset(
    "people who are hidden for seconds and come out elsewhere",
    ClipConfig(seed=33_001, frames=750),
    build,
)
