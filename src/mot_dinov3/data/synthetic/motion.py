"""Where people and vehicles go: trips planned once, positions a pure function of time.

Lengths are in frame heights and y points down, so a plan does not depend on the resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mot_dinov3.data.synthetic.looks import PersonLook, VehicleLook

FAR_WALL, FAR_KERB, NEAR_KERB = 0.345, 0.45, 0.765
FAR_BAND, NEAR_BAND = (0.375, 0.435), (0.80, 0.985)
LANES = ((0.575, -1), (0.715, 1))
"""Foot line and direction of each lane of the road."""
_HORIZON, _METRE_PER_HEIGHT = 0.10, 0.27
_STRIDE_M = 1.45
_VEHICLE_SPEED_MPS = (3.6, 5.2)
_PERSON_MARGIN, _ABSENCE_S = 0.12, (1.5, 4.0)


def metre_at(y: float) -> float:
    """Frame heights that a metre spans where the ground is seen at `y`: a level camera's law."""
    return (y - _HORIZON) * _METRE_PER_HEIGHT


@dataclass(frozen=True, slots=True)
class Leg:
    """A straight walk, or a wait where both ends are the same.

    Attributes:
        start_s: when it starts.
        end_s: when it ends.
        start: x and y of the foot when it starts.
        end: x and y of the foot when it ends.
        pace_mps: speed over ground, which paces the steps; 0 while waiting.
    """

    start_s: float
    end_s: float
    start: tuple[float, float]
    end: tuple[float, float]
    pace_mps: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where an actor is at one moment.

    Attributes:
        x: foot, frame heights from the left edge of the unpanned frame.
        y: foot, frame heights from the top.
        heading: "left", "right", "near" (towards us) or "far".
        turns: double steps (or strides' worth of wheel turns) made since the leg began.
        moving: False while waiting.
    """

    x: float
    y: float
    heading: str
    turns: float
    moving: bool


@dataclass(frozen=True, slots=True)
class Trip:
    """All that one actor does in a clip; between two legs with a gap it is elsewhere."""

    legs: tuple[Leg, ...]

    def at(self, time_s: float) -> Place | None:
        """Where the actor is, or None while it is nowhere near."""
        for leg in self.legs:
            if leg.start_s <= time_s < leg.end_s:
                return _along(leg, time_s)
        return None


def _along(leg: Leg, time_s: float) -> Place:
    share = (time_s - leg.start_s) / (leg.end_s - leg.start_s)
    dx, dy = leg.end[0] - leg.start[0], leg.end[1] - leg.start[1]
    if abs(dx) >= 0.8 * abs(dy):
        heading = "right" if dx >= 0 else "left"
    else:
        heading = "near" if dy > 0 else "far"
    return Place(
        x=leg.start[0] + share * dx,
        y=leg.start[1] + share * dy,
        heading=heading,
        turns=(time_s - leg.start_s) * leg.pace_mps / _STRIDE_M,
        moving=leg.pace_mps > 0,
    )


def walk(start_s: float, points: list[tuple[float, float]], pace_mps: float) -> list[Leg]:
    """Legs through the points, one after the other, each at the pace its depth gives."""
    legs: list[Leg] = []
    for start, end in pairwise(points):
        speed = pace_mps * metre_at((start[1] + end[1]) / 2)
        took = max(1e-3, float(np.hypot(end[0] - start[0], end[1] - start[1])) / speed)
        legs.append(Leg(start_s, start_s + took, start, end, pace_mps))
        start_s += took
    return legs


def plan_stroll(
    rng: np.random.Generator, look: PersonLook, duration_s: float, span: tuple[float, float]
) -> Trip:
    """A person's clip: most start in the picture, leave it, and come back elsewhere.

    Args:
        rng: makes the choices.
        look: sets the pace.
        duration_s: the length of the clip.
        span: left and right end of all that the panning camera ever sees.
    """
    edges = (span[0] - _PERSON_MARGIN, span[1] + _PERSON_MARGIN)
    legs: list[Leg] = []
    time_s = 0.0
    inside = rng.random() < 0.75
    if not inside:
        time_s = float(rng.uniform(0, 0.35) * duration_s)
    while time_s < duration_s:
        x = float(rng.uniform(*span)) if inside else edges[int(rng.integers(2))]
        legs += _plan_passage(rng, (x, _on_pavement(rng)), edges, (time_s, look.pace_mps))
        time_s = legs[-1].end_s + float(rng.uniform(*_ABSENCE_S))
        inside = False
    return Trip(tuple(legs))


def _on_pavement(rng: np.random.Generator) -> float:
    return float(rng.uniform(*(FAR_BAND if rng.random() < 0.4 else NEAR_BAND)))


def _plan_passage(
    rng: np.random.Generator,
    start: tuple[float, float],
    edges: tuple[float, float],
    clock: tuple[float, float],
) -> list[Leg]:
    """From `start` out of the picture, perhaps across the road or with a rest on the way."""
    time_s, pace = clock
    out = edges[0] if start[0] > sum(edges) / 2 else edges[1]
    if edges[0] < start[0] < edges[1] and rng.random() < 0.5:
        out = sum(edges) - out
    whim = rng.random()
    middle = (start[0] + (out - start[0]) * float(rng.uniform(0.25, 0.6)), start[1])
    if whim < 0.3:
        return _plan_crossing(rng, [start, middle], out, clock)
    drift = float(np.clip(start[1] + rng.uniform(-0.02, 0.02), *_band_of(start[1])))
    if whim > 0.85:
        first = walk(time_s, [start, middle], pace)
        rest = first[-1].end_s + float(rng.uniform(0.8, 2.5))
        wait = Leg(first[-1].end_s, rest, middle, middle, 0.0)
        return [*first, wait, *walk(rest, [middle, (out, drift)], pace)]
    return walk(time_s, [start, (out, drift)], pace)


def _band_of(y: float) -> tuple[float, float]:
    return FAR_BAND if y < FAR_KERB else NEAR_BAND


def _plan_crossing(
    rng: np.random.Generator,
    points: list[tuple[float, float]],
    out: float,
    clock: tuple[float, float],
) -> list[Leg]:
    """Along one pavement, over the road, and on along the other one."""
    x, y = points[-1]
    other = FAR_BAND if y > FAR_KERB else NEAR_BAND
    landing = (x + float(rng.uniform(-0.12, 0.12)), float(rng.uniform(*other)))
    legs = walk(clock[0], points, clock[1])
    return legs + walk(legs[-1].end_s, [(x, y), landing, (out, landing[1])], clock[1])


def plan_traffic(
    rng: np.random.Generator, looks: list[VehicleLook], duration_s: float, span: tuple[float, float]
) -> list[Trip]:
    """Vehicles that take turns on the lanes and drive by again, never through one another."""
    legs: list[list[Leg]] = [[] for _ in looks]
    speeds = [float(rng.uniform(*_VEHICLE_SPEED_MPS)) for _ in LANES]
    free_s = [float(rng.uniform(-4.0, -1.5)) for _ in LANES]
    while looks and min(free_s) < duration_s:
        lane = int(np.argmin(free_s))
        home = [i for i, done in enumerate(legs) if not done or done[-1].end_s + 1.0 < free_s[lane]]
        if not home:
            free_s[lane] += 0.5
            continue
        chosen = home[int(rng.integers(len(home)))]
        leg = _drive(LANES[lane], (free_s[lane], speeds[lane]), span)
        legs[chosen].append(leg)
        headway_m = looks[chosen].length_m + float(rng.uniform(2.5, 12.0))
        free_s[lane] += headway_m / speeds[lane]
    return [Trip(tuple(done)) for done in legs]


def _drive(lane: tuple[float, int], clock: tuple[float, float], span: tuple[float, float]) -> Leg:
    (y, direction), (start_s, speed_mps) = lane, clock
    reach = 4.0 * metre_at(y)
    ends = (span[0] - reach, span[1] + reach)
    start, end = ends if direction > 0 else (ends[1], ends[0])
    took = (ends[1] - ends[0]) / (speed_mps * metre_at(y))
    return Leg(start_s, start_s + took, (start, y), (end, y), speed_mps)
