"""Which presets there are, and how one becomes a world."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from mot_dinov3.errors import UsageError
from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.data.synthetic.presets.base import Preset
    from mot_dinov3.data.synthetic.world import ClipConfig, World

PRESETS = Registry(
    "preset",
    {
        "street": (
            "mot_dinov3.data.synthetic.presets.street:PRESET",
            "people and vehicles in a street, the camera turns slowly",
        ),
        "crossings": (
            "mot_dinov3.data.synthetic.presets.crossings:PRESET",
            "people who cross each other",
        ),
        "occlusion": (
            "mot_dinov3.data.synthetic.presets.occlusion:PRESET",
            "people who vanish behind walls",
        ),
        "flock": (
            "mot_dinov3.data.synthetic.presets.flock:PRESET",
            "people in groups that walk side by side",
        ),
        "pan": ("mot_dinov3.data.synthetic.presets.pan:PRESET", "a camera that swings and jumps"),
        "lowfps": (
            "mot_dinov3.data.synthetic.presets.lowfps:PRESET",
            "people at few frames a second",
        ),
        "pairs": (
            "mot_dinov3.data.synthetic.presets.pairs:PRESET",
            "two pairs, large in a small picture, who meet again and again",
        ),
    },
)

FIRST_TRAINING_SEED = 1_000_000
"""Worlds from this seed on are for training; every smaller seed is held out."""


def load_preset(name: str) -> Preset[ClipConfig]:
    """The preset of that name.

    Raises:
        UsageError: no such preset; the known ones are listed.
    """
    return cast("Preset[ClipConfig]", PRESETS.load(name))


def create_world(name: str, **changes: Any) -> World:  # noqa: ANN401 - any field of a clip
    """The world of a preset.

    Args:
        name: a key of `PRESETS`.
        changes: fields of `ClipConfig` that differ from the preset's, such as `seed`.

    Raises:
        UsageError: no such preset, or a seed whose people the demo models were trained on.
    """
    preset = load_preset(name)
    clip = replace(preset.clip, **changes)
    if not 0 <= clip.seed < FIRST_TRAINING_SEED:
        raise UsageError(
            f"A preset's seed is 0 to {FIRST_TRAINING_SEED - 1}, got {clip.seed}.",
            fix="Give one in between: those above are for what the demo models learn from.",
        )
    return preset.build(clip)
