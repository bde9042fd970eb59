"""`lowfps`: people who walk up and down, seen five times a second, so that boxes jump.

From one frame to the next a walker moves by a third of his width and more, and turns round without
warning: a box overlaps with where a stranger was as often as with where its own was.
"""

from __future__ import annotations

from mot_dinov3.data.synthetic.looks import cast_people
from mot_dinov3.data.synthetic.pedestrians import (
    create_pedestrian_world,
    create_planner,
    plan_length_s,
    plan_promenade,
)
from mot_dinov3.data.synthetic.presets.base import Preset
from mot_dinov3.data.synthetic.scenery import place_occluders
from mot_dinov3.data.synthetic.world import ClipConfig, World

PEOPLE, OCCLUDERS = 16, 2


def build(clip: ClipConfig) -> World:
    """The world of a clip."""
    rng, span = create_planner(clip.seed), (0.0, clip.aspect)
    looks = cast_people(rng, PEOPLE)
    trips = [plan_promenade(rng, look, span, plan_length_s(clip)) for look in looks]
    return create_pedestrian_world(clip, looks, trips, place_occluders(rng, OCCLUDERS, span))


PRESET = Preset(
    "people who walk up and down, five frames a second",
    ClipConfig(seed=36_001, frames=600, fps=5.0),
    build,
)
