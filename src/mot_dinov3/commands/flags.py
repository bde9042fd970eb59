"""Turns the fields of `config` into flags, `MOT_*` variables and configuration keys.

A value is taken from the first of: command line, environment, TOML file, default.
"""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Container, Iterable, Mapping
from dataclasses import Field, replace
from pathlib import Path
from typing import Any, get_type_hints

from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import ENVIRONMENT_PREFIX, SOURCE, key_of, stages
from mot_dinov3.config.presets import DEFAULT_PRESET, preset
from mot_dinov3.errors import UsageError, nearest

ALIASES = {"--quiet": ("-q",), "--verbose": ("-v",)}
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def add_flags(
    parser: argparse.ArgumentParser,
    names: Iterable[str] | None = None,
    *,
    many: str = "",
    only: Container[str] | None = None,
) -> None:
    """Add the flags of the stages `names` (all by default), a group each; a clash raises.

    The flag `many` takes several values, and may be repeated for more. Of the stages only the
    keys `only` become flags (all by default).
    """
    for name, config in stages().items():
        if names is None or name in names:
            group = parser.add_argument_group(name)
            kinds = get_type_hints(config)
            for item in flag_fields(config):
                if only is not None and key_of(item) not in only:
                    continue
                several = item.metadata["flag"] == many
                _add_flag(group, item, kinds[item.name], many=several)


def _add_flag(
    group: argparse._ArgumentGroup,
    item: Field[Any],
    kind: type,
    *,
    many: bool,
) -> None:
    words = (item.metadata["flag"], *ALIASES.get(item.metadata["flag"], ()))
    options: dict[str, Any] = {"dest": key_of(item), "default": argparse.SUPPRESS}
    text = item.metadata["help"].replace("%", "%%")
    if kind is bool:
        on = item.default is True
        options["action"] = argparse.BooleanOptionalAction if on else "store_true"
        options["help"] = text + (" (default: on)" if on else "")
    else:
        shown = f" (default: {item.default})" if item.default != "" else ""
        options |= {"type": kind, "help": text + shown}
        options["metavar"] = item.metadata["metavar"] or kind.__name__.upper()
        if item.metadata["bare"]:
            options |= {"nargs": "?", "const": item.metadata["bare"]}
        if many:
            options |= {"nargs": "+", "action": "extend"}
        if item.metadata["choices"]:
            options |= {"choices": item.metadata["choices"], "metavar": None}
    group.add_argument(*words, **options)


def resolve(
    chosen: Mapping[str, Any], toml: Path | None, environment: Mapping[str, str]
) -> TrackConfig:
    """Build the configuration: flag over environment over file over preset over default.

    Raises:
        UnknownNameError: no such preset of `--tracker`.
        UsageError: an unknown key or a value of the wrong kind, naming where it stands.
    """
    layers = (_from_file(toml) if toml else {}, _from_environment(environment), chosen)
    values: dict[str, Any] = {}
    for layer in layers:
        values |= layer
    values = preset(values.get("tracker", DEFAULT_PRESET)) | values
    sources = values.get(SOURCE, "")
    if not isinstance(sources, str):
        values[SOURCE] = sources[0]
    built = {}
    for name, config in stages().items():
        items = flag_fields(config)
        known = {item.name: values[key_of(item)] for item in items if key_of(item) in values}
        built[name] = config(**known)
    if not isinstance(sources, str) and len(sources) > 1:
        built["batch"] = replace(built["batch"], sources=tuple(sources))
    return TrackConfig(**built)


def require_standing(command: str, config: TrackConfig) -> None:
    """Refuse camera motion in a command that replays recordings, which hold no pictures.

    Raises:
        UsageError: `--cmc`, or a preset, asks for it.
    """
    if config.motion.cmc != "none":
        raise UsageError(
            f"{command} replays recordings, which hold no pictures for --cmc {config.motion.cmc}.",
            fix="Give --cmc none.",
        )


def _kinds() -> dict[str, type]:
    return {
        key_of(item): get_type_hints(config)[item.name]
        for config in stages().values()
        for item in flag_fields(config)
    }


def _from_file(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"--config {path} cannot be read: {error.strerror}.", fix="Check the path."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--config {path} is not valid TOML: {error}.", fix="Lines look like: conf = 0.4"
        ) from error
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict) and key in stages():
            _check_table(key, value, path)
            flat |= value
        else:
            flat[key] = value
    kinds = _kinds()
    return {
        name: _checked(value, kinds[name], f"'{key}' in {path}", many=name == SOURCE)
        for key, value in flat.items()
        for name in [_known(key, kinds, f"key '{key}' in {path}")]
    }


def _check_table(stage: str, table: Mapping[str, Any], path: Path) -> None:
    """Refuse a known key under the name of another stage: it was meant for something else."""
    home = {key_of(item): name for name, kind in stages().items() for item in flag_fields(kind)}
    for key in table:
        belongs = home.get(key.replace("-", "_"), stage)
        if belongs != stage:
            raise UsageError(
                f"Key '{key}' in {path} is no setting of [{stage}].",
                fix=f"Move it to [{belongs}], or above all tables.",
            )


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """`MOT_*` variables; an unknown one is an error like an unknown key, never silence."""
    kinds = _kinds()
    out = {}
    for variable, text in environment.items():
        if variable.startswith(ENVIRONMENT_PREFIX):
            key = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
            name = _known(key, kinds, f"environment variable {variable}", ENVIRONMENT_PREFIX)
            out[name] = _parsed(text, kinds[name], variable)
    return out


def _known(key: str, kinds: Mapping[str, type], where: str, prefix: str = "") -> str:
    name = key.replace("-", "_")
    if name in kinds:
        return name
    known = list(kinds) if prefix else list({**kinds, **stages()})
    near = [prefix + (word.upper() if prefix else word) for word in nearest(name, known)]
    hint = f"Did you mean {' or '.join(near)}?" if near else "See: python cli.py --print-config"
    raise UsageError(f"Unknown {where}.", fix=hint)


def _parsed(text: str, kind: type, where: str) -> Any:  # noqa: ANN401 - the field's own type
    word = text.strip().lower()
    if kind is bool and word in TRUE + FALSE:
        return word in TRUE
    if kind is bool:
        raise _wrong(where, kind, text)
    try:
        return kind(text)
    except ValueError as error:
        raise _wrong(where, kind, text) from error


def _checked(value: Any, kind: type, where: str, *, many: bool) -> Any:  # noqa: ANN401 - as above
    if many and isinstance(value, list) and value:
        return [_checked(item, kind, where, many=False) for item in value]
    if kind is float and type(value) is int:
        return float(value)
    if kind is str and isinstance(value, list):
        return ",".join(str(item) for item in value)
    if kind is str and type(value) is int:
        return str(value)
    if type(value) is not kind:
        raise _wrong(where, kind, value)
    return value


def _wrong(where: str, kind: type, value: object) -> UsageError:
    expected = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return UsageError(f"{where} must be {expected[kind]}, got {value!r}.", fix="Correct the value.")


def environment_layer() -> dict[str, str]:
    """The variables that `resolve` may read."""
    return {k: v for k, v in os.environ.items() if k.startswith(ENVIRONMENT_PREFIX)}
