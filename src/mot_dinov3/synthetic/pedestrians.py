"""A street that is closed to traffic: people on both pavements, and what they vanish behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mot_dinov3.synthetic.looks import PersonLook
from mot_dinov3.synthetic.motion import Trip
from mot_dinov3.synthetic.scenery import Occluder, paint_street
from mot_dinov3.synthetic.truth import PERSON
from mot_dinov3.synthetic.world import Actor, ClipConfig, Script, World, still

PLANNED_S = 150.0
"""Trips are planned for so long whatever the length of a clip, so a shorter one is its start."""


def planner(seed: int) -> np.random.Generator:
    """What makes the choices of a plan."""
    return np.random.default_rng([seed, 3])


def pedestrian_world(
    clip: ClipConfig,
    looks: Sequence[PersonLook],
    trips: Sequence[Trip],
    occluders: Sequence[Occluder] = (),
) -> World:
    """People before a camera that stands still; ids are 1, 2, ... in their order."""
    scene = np.random.default_rng([clip.seed, 2])
    script = Script(
        actors=tuple(
            Actor(number, PERSON, look, trip)
            for number, (look, trip) in enumerate(zip(looks, trips, strict=True), 1)
        ),
        occluders=tuple(occluders),
        backdrop=paint_street(scene, clip.width, clip.height),
        turn=still,
    )
    return World(clip, script, scene)
