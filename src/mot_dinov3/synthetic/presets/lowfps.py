"""`lowfps`: a busy street seen three times a second, so that boxes jump over one another."""

from __future__ import annotations

from mot_dinov3.synthetic.presets.base import Preset
from mot_dinov3.synthetic.street import StreetConfig, StreetWorld

PRESET = Preset(
    "a busy street, three frames a second",
    StreetConfig(seed=36_001, frames=600, fps=3.0, people=18, vehicles=4, pan=0.0),
    StreetWorld,
)
