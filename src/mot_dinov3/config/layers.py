"""The settings that a TOML file and the environment hold, checked against a root configuration."""

from __future__ import annotations

import logging
import re
import reprlib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mot_dinov3.config.fields import flag_fields
from mot_dinov3.config.flat import QUOTED, key_of, kinds_of, list_keys, stages, unquote_name
from mot_dinov3.errors import UsageError, find_path, is_one_edit, nearest, reason_of
from mot_dinov3.runtime.limits import INT64, MOST_DEPTH, SETTINGS, is_too_deep
from mot_dinov3.runtime.opening import read_text

log = logging.getLogger("mot_dinov3")

DEEP_KEY = re.compile(
    rf"""(?<![\w.-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{MOST_DEPTH}}}"""
)
"""A key of a table in a table and so on, `a.b.c = 1`, which would be read in quadratic time."""

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

    A variable that names no setting belongs to another program, unless it looks misspelt: then
    a warning says so.

    Raises:
        UsageError: the value of a variable is of the wrong kind.
    """
    kinds = kinds_of(root)
    out = {}
    for variable, text in environment.items():
        if variable.startswith(prefix):
            key = variable.removeprefix(prefix).lower()
            if key in kinds:
                out[key] = _parse_text(text, kinds[key], variable)
            elif near := [word for word in kinds if is_one_edit(key, word)]:
                log.warning(
                    "The variable %s is not a setting, so it is ignored. Did you mean %s?",
                    variable,
                    " or ".join(prefix + word.upper() for word in near),
                )
    return out


def _parse_toml(path: Path) -> dict[str, Any]:
    try:
        text = read_text(path, SETTINGS)
        if DEEP_KEY.search(text):
            raise _build_depth_error(path)
        document = tomllib.loads(text)
    except OSError as error:
        raise UsageError(
            f"--config {path} cannot be read: {reason_of(error)}.", fix=find_path(path, error)
        ) from error
    except RecursionError:
        raise _build_depth_error(path) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"--config {path} is not valid TOML: it is not written in UTF-8.",
            fix="Save it again in this encoding.",
        ) from error
    except ValueError as error:
        foreseen = isinstance(error, tomllib.TOMLDecodeError)
        reason = error if foreseen else "a number has too many digits"
        raise UsageError(
            f"--config {path} is not valid TOML: {reason}.", fix="Lines look like: conf = 0.4"
        ) from error
    if is_too_deep(document):
        raise _build_depth_error(path)
    return document


def _build_depth_error(path: Path) -> UsageError:
    return UsageError(
        f"--config {path} has lists or tables more than {MOST_DEPTH} inside each other.",
        fix="Settings are single values: see what --print-config prints.",
    )


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
        return require_range(kind(text), where)
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
    if kind is str and isinstance(value, dict) and [*value] == [QUOTED]:
        value = unquote_name({QUOTED: str(value[QUOTED])})
    require_range(value, where)
    if kind is float and type(value) is int:
        return float(value)
    if kind is str and isinstance(value, list):
        return ",".join(str(item) for item in value)
    if kind is str and type(value) in (int, float):
        return str(value)
    if type(value) is not kind:
        raise _wrong_value(where, kind, value)
    return value


def require_range(value: Any, where: str) -> Any:  # noqa: ANN401 - the field's own type
    """Return a value, unless it is a whole number that no array can hold.

    Raises:
        UsageError: it is; `where` says what it was given for.
    """
    if isinstance(value, int) and abs(value) > INT64:
        raise UsageError(f"{where} is too large a number.", fix=f"The most is {INT64}.")
    return value


def _wrong_value(where: str, kind: type, value: object) -> UsageError:
    expected = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    example = {bool: "true", int: "5", float: "0.5", str: '"text"'}
    return UsageError(
        f"{where} must be {expected[kind]}, got {reprlib.repr(value)}.",
        fix=f"Give {where} a value such as {example[kind]}.",
    )
