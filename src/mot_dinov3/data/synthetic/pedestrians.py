"""A street that is closed to traffic: people on both pavements, and what they vanish behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mot_dinov3.data.synthetic.looks import PersonLook
from mot_dinov3.data.synthetic.motion import FAR_BAND, FAR_KERB, NEAR_BAND, Trip
from mot_dinov3.data.synthetic.paint import Point
from mot_dinov3.data.synthetic.routes import Route
from mot_dinov3.data.synthetic.scenery import Occluder, paint_street
from mot_dinov3.data.synthetic.truth import PERSON
from mot_dinov3.data.synthetic.world import Actor, ClipConfig, Script, Turn, World, still

_PLANNED_S = 150.0
_CROSS_SHARE, _REST_SHARE, _REST_S = 0.15, 0.3, (0.4, 1.6)
_LEAST_WAY, _EDGE = 0.25, 0.06


def plan_length_s(clip: ClipConfig) -> float:
    """For how long trips are planned: a short clip is the beginning of a longer one."""
    return max(_PLANNED_S, clip.frames / clip.fps)


def create_planner(seed: int) -> np.random.Generator:
    """What makes the choices of a plan."""
    return np.random.default_rng([seed, 3])


def create_pedestrian_world(
    clip: ClipConfig,
    looks: Sequence[PersonLook],
    trips: Sequence[Trip],
    occluders: Sequence[Occluder] = (),
    camera: tuple[Turn, float] = (still, 0.0),
) -> World:
    """People and what stands in their way; ids are 1, 2, ... in their order.

    Args:
        clip: what is drawn.
        looks: who is there.
        trips: where each of them goes.
        occluders: what hides them.
        camera: where it looks, and how far it ever turns to either side in frame heights.
    """
    scene = np.random.default_rng([clip.seed, 2])
    turn, reach = camera
    script = Script(
        actors=tuple(
            Actor(number, PERSON, look, trip)
            for number, (look, trip) in enumerate(zip(looks, trips, strict=True), 1)
        ),
        occluders=tuple(occluders),
        backdrop=paint_street(scene, clip.width + 2 * round(reach * clip.height), clip.height),
        turn=turn,
        reach=reach,
    )
    return World(clip, script, scene)


def plan_promenade(
    rng: np.random.Generator, look: PersonLook, span: tuple[float, float], until_s: float
) -> Trip:
    """Up and down the street within `span` (frame heights), at times across it or at rest.

    Chance decides when and where a person turns round; the trip does not end before `until_s`.
    """
    inside = span[0] + _EDGE, span[1] - _EDGE
    far = bool(rng.random() < 0.5)
    route = Route(0.0, (float(rng.uniform(*inside)), _on_pavement(rng, far=far)), look.pace_mps)
    while route.time_s < until_s:
        crosses = rng.random() < _CROSS_SHARE
        there = _across(rng, route.here, inside) if crosses else _along(rng, route.here, inside)
        route.go(there)
        if rng.random() < _REST_SHARE:
            route.wait(float(rng.uniform(*_REST_S)))
    return route.trip()


def _on_pavement(rng: np.random.Generator, *, far: bool) -> float:
    return float(rng.uniform(*(FAR_BAND if far else NEAR_BAND)))


def _along(rng: np.random.Generator, here: Point, inside: tuple[float, float]) -> Point:
    """A place on the same pavement, not too near."""
    x = here[0]
    while abs(x - here[0]) < _LEAST_WAY:
        x = float(rng.uniform(*inside))
    band = FAR_BAND if here[1] < FAR_KERB else NEAR_BAND
    return x, float(np.clip(here[1] + rng.uniform(-0.03, 0.03), *band))


def _across(rng: np.random.Generator, here: Point, inside: tuple[float, float]) -> Point:
    """A place on the other pavement, more or less opposite."""
    x = float(np.clip(here[0] + rng.uniform(-0.15, 0.15), *inside))
    return x, _on_pavement(rng, far=here[1] > FAR_KERB)
