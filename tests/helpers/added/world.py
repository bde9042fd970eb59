"""A drawn world that is added by this file and one line of the table: one person walks."""

from __future__ import annotations

from mot_dinov3.data.synthetic.looks import cast_people
from mot_dinov3.data.synthetic.pedestrians import create_pedestrian_world, create_planner
from mot_dinov3.data.synthetic.presets.base import Preset
from mot_dinov3.data.synthetic.routes import Route
from mot_dinov3.data.synthetic.world import ClipConfig

LINE = ("helpers.added.world:PRESET", "one person who walks alone")


def build(clip):
    (look,) = cast_people(create_planner(clip.seed), 1)
    route = Route(0.0, (0.3, 0.8), look.pace_mps)
    route.go((1.2, 0.8))
    return create_pedestrian_world(clip, [look], [route.trip()])


PRESET = Preset("one person", ClipConfig(seed=7, width=96, height=64, frames=6), build)
