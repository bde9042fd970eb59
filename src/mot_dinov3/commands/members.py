"""The names that a flag knows, read from the plug-in tables for help texts and completion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from mot_dinov3.config.presets import PRESETS
from mot_dinov3.registry import Registry

TABLES = {
    "det": "mot_dinov3.perception.detectors.factory:DETECTORS",
    "embedder": "mot_dinov3.perception.features.factory:EMBEDDERS",
    "embed_policy": "mot_dinov3.scheduling.policies.factory:POLICIES",
    "policies": "mot_dinov3.lab.recordings.policies:REPLAY_POLICIES",
    "searcher": "mot_dinov3.perception.searchers.factory:SEARCHERS",
    "system": "mot_dinov3.systems.factory:SYSTEMS",
    "association": "mot_dinov3.tracking.association.factory:ASSOCIATIONS",
    "motion": "mot_dinov3.tracking.motion.factory:MOTIONS",
    "cmc": "mot_dinov3.tracking.camera.factory:CAMERAS",
    "save": "mot_dinov3.outputs.sinks.factory:SINKS",
    "preset": "mot_dinov3.data.synthetic.presets.factory:PRESETS",
    "words": "mot_dinov3.lab.benchmarks.factory:BENCHMARKS",
    "measures": "mot_dinov3.lab.selftest.factory:MEASURES",
}
"""Configuration key of a flag, or name of an argument -> the table of its members."""

WITHOUT_TABLE: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "tracker": lambda: {name: one.line for name, one in PRESETS.items()},
    "device": lambda: {
        "auto": "the fastest device that works",
        "cpu": "the processor",
        "cuda": "the first NVIDIA GPU; cuda:N, or N alone, is another one",
        "mps": "the GPU of a Mac",
    },
}
"""The same for names that are not a plug-in's."""

BESIDE_THE_TABLE = {
    "embedder": {"none": "no embeddings: boxes and motion alone decide"},
    "cmc": {"none": "the camera does not move, or --steady is enough"},
    "preset": {"all": "every world"},
    "words": {"all": "all that need neither minutes nor another program"},
}
"""Names that mean none or all of the members."""


def members_of(key: str) -> dict[str, str]:
    """Name -> line for `--help` of everything that a flag knows; empty where it takes no names.

    Args:
        key: the configuration key of the flag, or the name of a positional argument.
    """
    if key in WITHOUT_TABLE:
        return dict(WITHOUT_TABLE[key]())
    if key not in TABLES:
        return {}
    module, _, attribute = TABLES[key].partition(":")
    table: Registry = getattr(import_module(module), attribute)
    return {name: table.help(name) for name in table} | BESIDE_THE_TABLE.get(key, {})
