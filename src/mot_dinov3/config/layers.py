"""The settings that a TOML file and the environment hold, checked against a root configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mot_dinov3.config.fields import flag_fields
from mot_dinov3.config.flat import key_of, kinds_of, list_keys, stages
from mot_dinov3.errors import UsageError, nearest

TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def read_file(root: type, path: Path) -> dict[str, Any]:
    """Configuration key -> value of everything that a TOML file sets.

    Args:
        root: the configuration class; `flat.py` says what may be one.
        path: the file; its keys stand above all tables or in the table of their stage.

    Raises:
        UsageError: the file cannot be read, a key is unknown or a value is of the wrong kind.
    """
    kinds, lists, tables = kinds_of(root), list_keys(root), stages(root)
    out: dict[str, Any] = {}
    for key, value in _flatten(root, _parse_toml(path), path).items():
        name = key.replace("-", "_")
        if name not in kinds:
            raise _build_name_error(
                f"key '{key}' in {path}", nearest(name, list({**kinds, **tables}))
            )
        out[name] = check_value(value, kinds[name], f"'{key}' in {path}", many=name in lists)
    return out


def read_environment(root: type, environment: Mapping[str, str], prefix: str) -> dict[str, Any]:
    """Configuration key -> value of the variables that begin with `prefix`.

    Raises:
        UsageError: a variable names no setting, or its value is of the wrong kind.
    """
    kinds = kinds_of(root)
    out = {}
    for variable, text in environment.items():
        if variable.startswith(prefix):
            key = variable.removeprefix(prefix).lower()
            if key not in kinds:
                near = [prefix + word.upper() for word in nearest(key, list(kinds))]
                raise _build_name_error(f"environment variable {variable}", near)
            out[key] = _parse_text(text, kinds[key], variable)
    return out


def _parse_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"--config {path} cannot be read: {error.strerror}.", fix="Check the path."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--config {path} is not valid TOML: {error}.", fix="Lines look like: conf = 0.4"
        ) from error


def _flatten(root: type, document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict) and key in stages(root):
            _check_table(root, key, value, path)
            out |= value
        else:
            out[key] = value
    return out


def _check_table(root: type, stage: str, table: Iterable[str], path: Path) -> None:
    """Refuse a known key under the name of another stage: it was meant for something else."""
    home = {key_of(item): name for name, kind in stages(root).items() for item in flag_fields(kind)}
    for key in table:
        belongs = home.get(key.replace("-", "_"), stage)
        if belongs != stage:
            raise UsageError(
                f"Key '{key}' in {path} is not a setting of [{stage}].",
                fix=f"Move it to [{belongs}], or above all tables."
                if belongs
                else "Move it above all tables.",
            )


def _build_name_error(what: str, near: list[str]) -> UsageError:
    hint = f"Did you mean {' or '.join(near)}?" if near else "Every setting is in: --help-all"
    return UsageError(f"Unknown {what}.", fix=hint)


def _parse_text(text: str, kind: type, where: str) -> Any:  # noqa: ANN401 - the field's own type
    word = text.strip().lower()
    if kind is bool and word in TRUE + FALSE:
        return word in TRUE
    if kind is bool:
        raise _wrong_value(where, kind, text)
    try:
        return kind(text)
    except ValueError as error:
        raise _wrong_value(where, kind, text) from error


def check_value(value: Any, kind: type, where: str, *, many: bool) -> Any:  # noqa: ANN401 - as above
    """A value as the kind that its setting has: whole numbers may stand for floats, lists for text.

    Args:
        value: as a TOML file or a caller gives it.
        kind: bool, int, float or str.
        where: what holds the value, for the message.
        many: whether the setting may hold a list.

    Raises:
        UsageError: the value is of another kind.
    """
    if many and isinstance(value, list) and value:
        return [check_value(item, kind, where, many=False) for item in value]
    if kind is float and type(value) is int:
        return float(value)
    if kind is str and isinstance(value, list):
        return ",".join(str(item) for item in value)
    if kind is str and type(value) in (int, float):
        return str(value)
    if type(value) is not kind:
        raise _wrong_value(where, kind, value)
    return value


def _wrong_value(where: str, kind: type, value: object) -> UsageError:
    expected = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return UsageError(f"{where} must be {expected[kind]}, got {value!r}.", fix="Correct the value.")
