"""Turns the fields of `config` into flags, `MOT_*` variables and configuration keys.

A value is taken from the first of: command line, environment, TOML file, preset, default.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import Field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from mot_dinov3.commands.parsing import CommandParser, format_default
from mot_dinov3.config import TrackConfig
from mot_dinov3.config.fields import SEVERAL, flag_fields
from mot_dinov3.config.flat import (
    ENVIRONMENT_PREFIX,
    flag_of,
    from_values,
    key_of,
    stages,
)
from mot_dinov3.config.layers import read_environment, read_file, require_range
from mot_dinov3.config.needs.checking import check_needs
from mot_dinov3.config.tracking.inputs import AUTO, NUMBERS
from mot_dinov3.errors import UsageError

log = logging.getLogger("mot_dinov3")

ALIASES = {
    "--quiet": ("-q",),
    "--verbose": ("-v",),
    "--center-weight": ("--center_lamda",),
    "--crop-factor": ("--crop_factor",),
}
COMMON = (
    "--source",
    "--det",
    "--conf",
    "--imgsz",
    "--classes",
    "--device",
    "--embedder",
    "--embed-model",
    "--fallback-open",
    "--embed-policy",
    "--embed-budget-ms",
    "--tracker",
    "--output",
    "--save-mot",
    "--report",
)
"""The shared flags that most people use: `--help` shows these, and `--help-all` all others too."""

Root = TypeVar("Root")


def add_model_flags(parser: CommandParser) -> None:
    """Add the flags that say where models run that a command alone loads, and in which numbers."""
    parser.add_argument("--device", default=AUTO, metavar="NAME", help="device of the models")
    parser.add_argument(
        "--precision",
        default=AUTO,
        choices=(AUTO, *NUMBERS),
        help="numbers that the models compute with",
    )


def add_flags(
    parser: CommandParser,
    root: type,
    names: Iterable[str] | None = None,
    *,
    many: str = "",
    only: Container[str] | None = None,
    common: Container[str] = COMMON,
) -> None:
    """Add the flags of a root configuration, a group for each stage; a clash raises.

    Args:
        parser: what gets the flags.
        root: the configuration class; `config/flat.py` says what may be one.
        names: the stages whose flags are added; all of them by default.
        many: the flag that takes several values, and may be repeated for more, beside those that
            always do.
        only: the configuration keys that become flags; all of the stages' keys by default.
        common: the flags that `--help` shows; the others are left to `--help-all`.
    """
    wanted = None if names is None else set(names)
    for name, stage in stages(root).items():
        if wanted is None or name in wanted:
            group = parser.add_argument_group(name or "settings", _first_sentence(stage))
            kinds = get_type_hints(stage)
            for item in flag_fields(stage):
                if only is not None and key_of(item) not in only:
                    continue
                several = item.metadata["flag"] == many or SEVERAL in item.metadata
                action = _add_flag(group, item, kinds[item.name], many=several)
                if not isinstance(item.default, bool):
                    parser.default_words[action.dest] = format_default(item.default)
                if item.metadata["flag"] not in common:
                    parser.move_to_help_all(action)


def common_without(keys: Iterable[str]) -> list[str]:
    """The flags of `COMMON` but for those with one of these configuration keys."""
    return [name for name in COMMON if name.removeprefix("--").replace("-", "_") not in keys]


def _first_sentence(stage: type) -> str:
    return (stage.__doc__ or "").partition("\n")[0]


def _add_flag(
    group: argparse._ArgumentGroup, item: Field[Any], kind: type, *, many: bool
) -> argparse.Action:
    words = (item.metadata["flag"], *ALIASES.get(item.metadata["flag"], ()))
    options: dict[str, Any] = {"dest": key_of(item), "default": argparse.SUPPRESS}
    options["help"] = item.metadata["help"].replace("%", "%%")
    if kind is bool and not item.metadata["bare"]:
        on = item.default is True
        options["action"] = argparse.BooleanOptionalAction if on else "store_true"
        options["help"] += " (default: on)" if on else ""
    else:
        options |= {
            "type": str if kind is bool else kind,
            "metavar": item.metadata["metavar"] or None,
        }
        if item.metadata["choices"]:
            options |= {"choices": item.metadata["choices"]}
        if item.metadata["bare"]:
            options |= {"nargs": "?", "const": item.metadata["bare"]}
        if many:
            options |= {"nargs": "+", "action": "extend"}
    return group.add_argument(*words, **options)


def resolve(
    root: type[Root],
    chosen: Mapping[str, Any],
    toml: Path | None = None,
    environment: Mapping[str, str] | None = None,
    prefix: str = ENVIRONMENT_PREFIX,
) -> Root:
    """Build a configuration: flag over environment over file over the root's own defaults.

    Args:
        root: the configuration class; `config/flat.py` says what may be one.
        chosen: configuration key -> value of the flags that were given.
        toml: the file that `--config` names, if any.
        environment: the variables; those that begin with `prefix` are read. None for no variable.
        prefix: the beginning of the names of this root's variables.

    Raises:
        UnknownNameError: a setting names a thing that does not exist.
        UsageError: an unknown key or a value of the wrong kind, naming where it stands.
    """
    for key, value in chosen.items():
        require_range(value, flag_of(key))
    return from_values(root, read_layers(root, toml, environment, prefix) | dict(chosen))


def read_layers(
    root: type,
    toml: Path | None = None,
    environment: Mapping[str, str] | None = None,
    prefix: str = ENVIRONMENT_PREFIX,
) -> dict[str, Any]:
    """Configuration key -> value of what stands below the command line; arguments as `resolve`.

    Raises:
        UsageError: an unknown key or a value of the wrong kind, naming where it stands.
    """
    values = read_file(root, toml) if toml else {}
    return values | read_environment(root, environment or {}, prefix)


def say_idle_flags(config: TrackConfig, typed: Collection[str]) -> None:
    """Log a warning for each flag of the command line that does nothing.

    Args:
        config: what the flags make.
        typed: configuration keys of the command line.

    Raises:
        UsageError: the flag was surely meant otherwise.
    """
    for sentence in check_needs(config, typed, live=True):
        log.warning("%s", sentence)


def require_no_camera_motion(command: str, config: TrackConfig) -> None:
    """Refuse camera motion in a command that replays recordings, which hold no pictures.

    Raises:
        UsageError: `--cmc`, or a preset, asks for it.
    """
    if config.motion.cmc != "none":
        raise UsageError(
            f"{command} replays recordings, which hold no pictures for --cmc {config.motion.cmc}.",
            fix="Give --cmc none.",
        )


def environment_layer(prefix: str = ENVIRONMENT_PREFIX) -> dict[str, str]:
    """The variables that `resolve` may read."""
    return {k: v for k, v in os.environ.items() if k.startswith(prefix)}
