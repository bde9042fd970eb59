"""`crossings`: people meet, hide one another, and go on or turn back.

Each person has a place on one of a few rows. Neighbours set out towards each other again and again.
They pass straight through, stop and then pass, stop and turn back, or turn back at once; for the
moment in which they meet nothing in their motion says which. The last row wears one kit: those
pass straight through always, so that motion knows what looks can't tell.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mot_dinov3.data.synthetic.looks import PersonLook, cast_people
from mot_dinov3.data.synthetic.motion import metre_at
from mot_dinov3.data.synthetic.pedestrians import (
    create_pedestrian_world,
    create_planner,
    plan_length_s,
)
from mot_dinov3.data.synthetic.presets.base import Preset
from mot_dinov3.data.synthetic.routes import Route
from mot_dinov3.data.synthetic.world import ClipConfig, World

ROWS = ((0.43, 5), (0.82, 3), (0.93, 3), (0.385, 5))
"""Foot line of each row and how many people there are on it; the last ones look alike."""
MEETINGS = {"straight": 0.25, "stop and pass": 0.3, "stop and turn": 0.3, "turn": 0.15}
"""How often neighbours meet in each way."""
_STOP_S, _PAUSE_S = (0.3, 1.1), (0.0, 0.8)
_MARGIN, _STAGGER, _NEAR_M = 0.10, 0.12, 0.15


def build(clip: ClipConfig) -> World:
    """The world of a clip."""
    rng = create_planner(clip.seed)
    looks: list[PersonLook] = []
    routes: list[Route] = []
    cast = cast_people(rng, sum(count for _, count in ROWS))
    for number, (y, count) in enumerate(ROWS):
        people, cast = cast[:count], cast[count:]
        alike = number == len(ROWS) - 1
        looks += [replace(people[0], pace_mps=p.pace_mps) for p in people] if alike else people
        margin = _MARGIN + _STAGGER * (number % 2)
        places = np.linspace(margin, clip.aspect - margin, count)
        row = [Route(0.0, (x, y), p.pace_mps) for x, p in zip(places, people, strict=True)]
        plan_encounters(rng, list(row), plan_length_s(clip), straight=alike)
        routes += row
    return create_pedestrian_world(clip, looks, [route.trip() for route in routes])


def plan_encounters(
    rng: np.random.Generator, row: list[Route], until_s: float, *, straight: bool = False
) -> None:
    """Let the people of a row, given from left to right, meet again and again.

    Args:
        rng: decides how.
        row: their routes, which are made longer.
        until_s: they meet until then.
        straight: they pass without a stop, always.
    """
    turn = 0
    while min(route.time_s for route in row) < until_s:
        for left in range(turn % 2, len(row) - 1, 2):
            kind = "straight" if straight else str(rng.choice([*MEETINGS], p=[*MEETINGS.values()]))
            if _meet(rng, row[left], row[left + 1], kind):
                row[left], row[left + 1] = row[left + 1], row[left]
        for route in row:
            route.wait(float(rng.uniform(*_PAUSE_S)))
        turn += 1


def _meet(rng: np.random.Generator, left: Route, right: Route, kind: str) -> bool:
    """One encounter; whether the two have changed places."""
    homes = left.here, right.here
    x = (homes[0][0] + homes[1][0]) / 2 + float(rng.uniform(-0.03, 0.03))
    y = homes[0][1]
    off = float(rng.uniform(-_NEAR_M, _NEAR_M)) * metre_at(y)
    step = float(rng.choice([-1, 1])) * 0.004
    spots = (x - off / 2, y + step), (x + off / 2, y - step)
    sides = list(zip((left, right), spots, strict=True))
    at_s = max(route.time_s + route.needs_s(spot) for route, spot in sides)
    for route, spot in sides:
        route.arrive(spot, at_s)
    if kind.startswith("stop"):
        stop_s = float(rng.uniform(*_STOP_S))
        for route, _ in sides:
            route.wait(stop_s + float(rng.uniform(0, 0.15)))
    passes = not kind.endswith("turn")
    left.go(homes[1] if passes else homes[0])
    right.go(homes[0] if passes else homes[1])
    return passes


PRESET = Preset(
    "people who meet and go on or turn back; some look alike",
    ClipConfig(seed=32_001, frames=750),
    build,
)
