"""Which system `--system` names; a new one is one file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mot_dinov3.config import TrackConfig
from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.systems.base import LoadedSystem, System

SYSTEMS = Registry(
    "system",
    {
        "modular": (
            "mot_dinov3.systems.loading:LoadedModular",
            "a detector, an embedder on a budget per frame, and a tracker",
        ),
        "single": (
            "mot_dinov3.systems.single:LoadedSingle",
            "one object, followed from --box or --pick by a searcher",
        ),
        "samba-motr": (
            "mot_dinov3.systems.end_to_end:LoadedEndToEnd",
            "one network of train motr that finds and follows, named by --model",
        ),
    },
)
"""Every entry is a class that implements `LoadedSystem`."""


def system_class(config: TrackConfig) -> type[LoadedSystem]:
    """The class behind `--system`; no model is loaded.

    Raises:
        UnknownNameError: there is no such system.
    """
    return cast("type[LoadedSystem]", SYSTEMS.load(config.tracker.system))


def load_system(config: TrackConfig, device: str | None = None) -> LoadedSystem:
    """The system that `--system` names, its models loaded.

    Args:
        config: all stages.
        device: torch device string; chosen from `config.device` when left out.

    Raises:
        MotError: a name, a model or a device cannot be used.
    """
    return system_class(config).load(config, device)


def create_system(config: TrackConfig, device: str | None = None) -> System:
    """The system that `--system` names, loaded and started for one clip.

    Args:
        config: all stages.
        device: torch device string; chosen from `config.device` when left out.

    Raises:
        MotError: a name, a model or a device cannot be used.
    """
    return load_system(config, device).start(config)
