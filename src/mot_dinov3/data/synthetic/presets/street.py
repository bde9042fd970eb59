"""`street`: strolling people, traffic, small occluders, a camera that turns slowly."""

from __future__ import annotations

from mot_dinov3.data.synthetic.presets.base import Preset
from mot_dinov3.data.synthetic.street import StreetConfig, StreetWorld

PRESET = Preset(
    "people and vehicles on a street, as in the demo",
    StreetConfig(seed=31_001, frames=600),
    StreetWorld,
)
