"""`pan`: the camera looks here and there, in jerks, and back again.

A swing moves all boxes at once by more than their motion tells, and takes people out of the
picture and brings them back seconds later, somewhere else on its way through it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mot_dinov3.data.synthetic.looks import cast_people
from mot_dinov3.data.synthetic.pedestrians import (
    create_pedestrian_world,
    create_planner,
    plan_length_s,
    plan_promenade,
)
from mot_dinov3.data.synthetic.presets.base import Preset
from mot_dinov3.data.synthetic.scenery import place_occluders
from mot_dinov3.data.synthetic.world import ClipConfig, Turn, World

PEOPLE, OCCLUDERS = 16, 2
PAN = 0.45
"""How far the camera turns to either side, in frame heights."""
_REST_S, _SWING_S, _SHARE = (1.0, 3.0), (0.5, 0.9), (0.4, 1.0)


def make_jerky(rng: np.random.Generator, pan: float, until_s: float) -> Turn:
    """A camera that rests, swings to the other side within a second, and rests again.

    A swing starts and ends softly (a raised cosine); in its middle the picture moves by up to
    three frame heights a second.
    """
    stops, here, side = [(0.0, 0.0)], 0.0, 1.0
    while stops[-1][0] < until_s:
        side = -side
        there = side * pan * float(rng.uniform(*_SHARE))
        leaves_s = stops[-1][0] + float(rng.uniform(*_REST_S))
        stops += [(leaves_s, here), (leaves_s + float(rng.uniform(*_SWING_S)), there)]
        here = there
    legs = list(pairwise(stops))

    def turn(time_s: float) -> float:
        for (start_s, start), (end_s, end) in legs:
            if start_s <= time_s < end_s:
                share = (time_s - start_s) / (end_s - start_s)
                return float(start + (end - start) * (0.5 - 0.5 * np.cos(np.pi * share)))
        return here

    return turn


def build(clip: ClipConfig) -> World:
    """The world of a clip."""
    rng, span = create_planner(clip.seed), (-PAN, clip.aspect + PAN)
    looks = cast_people(rng, PEOPLE)
    trips = [plan_promenade(rng, look, span, plan_length_s(clip)) for look in looks]
    things = place_occluders(rng, OCCLUDERS, span)
    return create_pedestrian_world(
        clip, looks, trips, things, (make_jerky(rng, PAN, plan_length_s(clip)), PAN)
    )


PRESET = Preset(
    "people in front of a camera that is swung about",
    ClipConfig(seed=35_001, frames=750),
    build,
)
