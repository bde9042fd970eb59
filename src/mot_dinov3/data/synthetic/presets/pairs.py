"""`pairs`: few people, large in a small picture, who meet again and again.

It is small enough to learn an end-to-end tracker on two cores in minutes, and hard enough to tell
whether that has learned identities: neighbours hide one another and then go on or turn back, so
that neither place nor motion says who is who.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mot_dinov3.data.synthetic.looks import PersonLook, cast_people
from mot_dinov3.data.synthetic.pedestrians import (
    create_pedestrian_world,
    create_planner,
    plan_length_s,
)
from mot_dinov3.data.synthetic.presets.base import Preset
from mot_dinov3.data.synthetic.presets.crossings import plan_encounters
from mot_dinov3.data.synthetic.routes import Route
from mot_dinov3.data.synthetic.world import ClipConfig, World

ROWS = (0.60, 0.93)
"""Foot line of each pair."""
MARGIN = 0.22
"""From the edge of the picture to a person at home, as a share of its width."""


def build(clip: ClipConfig) -> World:
    """The world of a clip."""
    rng = create_planner(clip.seed)
    looks = [_simplify(look) for look in cast_people(rng, 2 * len(ROWS))]
    routes: list[Route] = []
    for number, y in enumerate(ROWS):
        pair = looks[2 * number : 2 * number + 2]
        places = np.array((MARGIN, 1 - MARGIN)) * clip.aspect
        row = [Route(0.0, (x, y), look.pace_mps) for x, look in zip(places, pair, strict=True)]
        plan_encounters(rng, list(row), plan_length_s(clip))
        routes += row
    return create_pedestrian_world(clip, looks, [route.trip() for route in routes])


def _simplify(look: PersonLook) -> PersonLook:
    """A person in plain clothes with nothing in hand, told by colours that few pixels show."""
    top, lower = (replace(cloth, pattern="plain") for cloth in (look.top, look.lower))
    return replace(look, top=top, lower=lower, bag="none", hat="none", height_m=1.75, build=1.2)


PRESET = Preset(
    "two pairs, large in a small picture, who meet and go on or turn back",
    ClipConfig(seed=37_001, width=192, height=128, fps=10.0, frames=300),
    build,
)
