"""`pan`: somebody at the camera looks here and there, in jerks, and back again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mot_dinov3.synthetic.presets.base import Preset
from mot_dinov3.synthetic.street import StreetConfig, StreetWorld
from mot_dinov3.synthetic.world import Turn

_REST_S, _SWING_S = (0.6, 2.2), (0.45, 0.9)
_PLANNED_S = 120.0
"""The plan starts again after so many seconds."""


def jerky(seed: int, pan: float) -> Turn:
    """A camera that rests, swings to another place within a second, and rests again.

    Every swing starts and ends softly (a raised cosine), at 1 to 3 frame heights a second in
    between: a person's box moves by a third of its width from one frame to the next, all at once.
    """
    rng = np.random.default_rng([seed, 5])
    stops = [(0.0, 0.0)]
    while stops[-1][0] < _PLANNED_S:
        time_s, here = stops[-1]
        there = -np.sign(here or 1.0) * rng.uniform(0.3, 1.0) * pan
        moved_s = time_s + rng.uniform(*_REST_S)
        stops += [(moved_s, here), (moved_s + rng.uniform(*_SWING_S), float(there))]

    def turn(time_s: float) -> float:
        now = time_s % _PLANNED_S
        for (start_s, start), (end_s, end) in pairwise(stops):
            if start_s <= now < end_s:
                share = (now - start_s) / (end_s - start_s)
                return float(start + (end - start) * (0.5 - 0.5 * np.cos(np.pi * share)))
        return 0.0

    return turn


PRESET = Preset(
    "a street through a camera that is swung about",
    StreetConfig(seed=35_001, frames=750, people=16, vehicles=4, occluders=3, pan=0.5),
    lambda clip: StreetWorld(clip, jerky(clip.seed, clip.pan)),
)
