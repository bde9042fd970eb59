"""`flock`: groups that move as one, vanish as one, and come out in another order.

A hoarding stands in the middle of a street, and another before it. Each has its group, which comes
out from behind it on either side, walks towards the edge of the picture in formation, turns round
and goes back; while a group is hidden all its people change places. What comes out has the same
shape and speed as what went in, so only looks tell who is who.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.synthetic.barriers import draw_hoarding
from mot_dinov3.data.synthetic.looks import cast_people
from mot_dinov3.data.synthetic.motion import metre_at
from mot_dinov3.data.synthetic.paint import Point
from mot_dinov3.data.synthetic.pedestrians import (
    create_pedestrian_world,
    create_planner,
    plan_length_s,
)
from mot_dinov3.data.synthetic.presets.base import Preset
from mot_dinov3.data.synthetic.routes import Route
from mot_dinov3.data.synthetic.scenery import Occluder
from mot_dinov3.data.synthetic.world import ClipConfig, World
from mot_dinov3.values import IntArray


@dataclass(frozen=True, slots=True)
class Group:
    """People in a formation, and the hoarding that hides them.

    Attributes:
        y: foot line of the hoarding.
        width_m: how wide it is.
        ranks: rows of the formation, one behind the other.
        files: people in each.
        file_m: metres between two of them; the next rank looks through the gaps.
    """

    y: float
    width_m: float
    ranks: int
    files: int
    file_m: float

    @property
    def size(self) -> int:
        """How many people there are."""
        return self.ranks * self.files

    @property
    def half(self) -> float:
        """From the middle of the formation to its outermost foot, in frame heights."""
        return ((self.files - 1) / 2 + _GAP) * self.file_m * metre_at(self.y)

    def place(self, middle: float, slot: int) -> Point:
        """Where a slot of the formation is when its middle is at x = `middle`."""
        rank, file = divmod(slot, self.files)
        aside = file - (self.files - 1) / 2 + (_GAP if rank % 2 else -_GAP)
        metre = metre_at(self.y)
        return middle + aside * self.file_m * metre, self.y - _BEHIND - rank * _RANK_M * metre


GROUPS = (Group(0.447, 5.6, 2, 4, 1.25), Group(0.83, 2.9, 2, 2, 1.05))
_GAP, _RANK_M, _BEHIND, _MARGIN = 0.25, 0.2, 0.012, 0.07
_PACE_MPS, _SHUFFLE_MPS = (1.3, 2.0), 1.6
_HIDDEN_S, _OUTSIDE_S = (0.0, 1.5), (0.0, 0.6)
"""How long a group stands still: hidden, every person in a new place; and at the edge."""


def build(clip: ClipConfig) -> World:
    """The world of a clip."""
    rng = create_planner(clip.seed)
    looks = cast_people(rng, sum(group.size for group in GROUPS))
    routes = [route for group in GROUPS for route in _plan_excursions(rng, group, clip)]
    barriers = [
        Occluder(draw_hoarding(rng, group.width_m), clip.aspect / 2, group.y) for group in GROUPS
    ]
    return create_pedestrian_world(clip, looks, [route.trip() for route in routes], barriers)


def _plan_excursions(rng: np.random.Generator, group: Group, clip: ClipConfig) -> list[Route]:
    """Out to an edge and back behind the hoarding, again and again."""
    nearest = group.half + _MARGIN
    middle, edges = clip.aspect / 2, (nearest, clip.aspect - nearest)
    order = rng.permutation(group.size)
    routes = [Route(0.0, group.place(middle, int(slot)), _SHUFFLE_MPS) for slot in order]
    while routes[0].time_s < plan_length_s(clip):
        pace_mps = float(rng.uniform(*_PACE_MPS))
        rest_s, still_s = float(rng.uniform(*_OUTSIDE_S)), float(rng.uniform(*_HIDDEN_S))
        _march(group, routes, order, (edges[int(rng.integers(2))], pace_mps))
        for route in routes:
            route.wait(rest_s)
        _march(group, routes, order, (middle, pace_mps))
        order = rng.permutation(group.size)
        _shuffle(group, routes, order, (middle, still_s))
    return routes


def _march(group: Group, routes: list[Route], order: IntArray, goal: tuple[float, float]) -> None:
    """All walk at one pace until the middle of the group is there: `goal` is x and pace."""
    middle, pace_mps = goal
    far = abs(group.place(middle, int(order[0]))[0] - routes[0].here[0])
    seconds = far / (pace_mps * metre_at(group.y))
    for route, slot in zip(routes, order, strict=True):
        route.stride(group.place(middle, int(slot)), seconds)


def _shuffle(group: Group, routes: list[Route], order: IntArray, stay: tuple[float, float]) -> None:
    """Every person takes a new place and waits for the last one; `stay` is x and more seconds."""
    middle, still_s = stay
    for route, slot in zip(routes, order, strict=True):
        route.go(group.place(middle, int(slot)))
    ready_s = max(route.time_s for route in routes) + still_s
    for route in routes:
        route.wait(ready_s - route.time_s)


PRESET = Preset(
    "groups that are hidden as one and come out in another order",
    ClipConfig(seed=34_001, frames=750),
    build,
)
