"""Keyword arguments as a configuration: every flag by its name, `--match-iou` as `match_iou=`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import from_values, key_of, kinds_of, stages
from mot_dinov3.config.layers import check_value
from mot_dinov3.config.needs.checking import check_needs
from mot_dinov3.errors import UsageError, nearest

MODEL_STAGES = ("detector", "device", "embedder", "cheap")
"""Stages that decide which models are loaded, and how."""
OF_EACH_TRACKER = {"conf", "low_conf", "classes"}
"""Keys of those stages that trackers with one detector may set each for itself."""
TRACKER_STAGES = (*MODEL_STAGES, "search", "scheduler", "tracker", "association", "motion", "draw")
VIDEO_STAGES = (*TRACKER_STAGES, "source", "live")
FPS = "fps"
NOT_OF_RESULTS = {"save_searched"}
"""Keys of those stages that say what is written to a file."""
NOT_OF_VIDEOS = {"source", FPS, "serve", "show"}
"""Keys of those stages that are no settings of `track`."""


@cache
def list_keys_of(*names: str) -> frozenset[str]:
    """The configuration keys of some stages."""
    known = stages(TrackConfig)
    return frozenset(key_of(item) for name in names for item in flag_fields(known[name]))


@cache
def bare_values() -> Mapping[str, str]:
    """Configuration key -> what its flag means without a value, as `True` does here."""
    fields = (item for kind in stages(TrackConfig).values() for item in flag_fields(kind))
    return {key_of(item): bare for item in fields if (bare := item.metadata.get("bare"))}


def list_keys_of_tracker() -> frozenset[str]:
    """The keys that `Tracker` reads."""
    return list_keys_of(*TRACKER_STAGES) - NOT_OF_RESULTS | {FPS}


def list_keys_of_video() -> frozenset[str]:
    """The keys that `track` reads."""
    return list_keys_of(*VIDEO_STAGES) - NOT_OF_VIDEOS - NOT_OF_RESULTS


def read_settings(
    caller: str, flags: Mapping[str, Any], allowed: Collection[str]
) -> dict[str, Any]:
    """Check keyword arguments by name and kind.

    Args:
        caller: what got them, for messages.
        flags: configuration key -> value.
        allowed: the keys that the caller reads.

    Returns:
        Configuration key -> value of the kind that its setting has.

    Raises:
        UsageError: there is no such setting, the caller does not read it, or its value is of
            another kind.
    """
    kinds = kinds_of(TrackConfig) if flags else {}
    out = {}
    for key, value in flags.items():
        if key not in kinds:
            raise _unknown(caller, key, allowed)
        if key not in allowed:
            raise UsageError(f"{caller} does not read {key}=.", fix=_find_reader(key))
        bare = bare_values().get(key) if value is True else None
        out[key] = check_value(bare or plain(value), kinds[key], f"{key}=", many=False)
    return out


def build_config(values: Mapping[str, Any]) -> TrackConfig:
    """The configuration of checked values, over the preset that they name.

    Raises:
        UsageError: a value breaks the rule of its stage.
    """
    return from_values(TrackConfig, values)


def build_checked(values: Mapping[str, Any]) -> TrackConfig:
    """The configuration of a tracker, whose settings do not make each other idle.

    What the command line only says is passed over: a caller may bring vectors, and then settings
    of appearance count without an embedder.

    Raises:
        UsageError: a value breaks the rule of its stage, or the table of needs refuses it.
    """
    config = build_config(values)
    check_needs(config, values.keys())
    return config


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever the user gives
    """Paths as text, numbers of numpy and fractions as numbers; everything else as it is."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Fraction):
        return float(value)
    return list(value) if isinstance(value, tuple) else value


def _find_reader(key: str) -> str:
    """Where a known setting belongs."""
    if key == FPS:
        return "Here times come from the source; fps= is for Tracker()."
    if key in list_keys_of_tracker():
        return f"Give {key}= to Tracker() or track()."
    if key in list_keys_of_video():
        return f"Give {key}= to track()."
    return "It is a setting of the command line and of run_job, see docs/guide/python.md."


def _unknown(caller: str, key: str, allowed: Collection[str]) -> UsageError:
    near = nearest(key, sorted(allowed))
    fix = (
        f"Did you mean {' or '.join(f'{name}=' for name in near)}?"
        if near
        else "Settings are called like flags: --embed-budget-ms is embed_budget_ms=. All are in "
        "docs/reference/flags.md."
    )
    return UsageError(f"{caller} has no setting {key}=.", fix=fix)
