"""A whole configuration as flat keys and values, and as TOML.

A *root* is a frozen dataclass whose fields are stages, that is, dataclasses with `flag` fields;
or it has `flag` fields of its own, which then make up one stage without a name. The functions
here work for every root. A root may declare rules of its own, as `TrackConfig` does:

- `several_values(self) -> dict[str, tuple[str, ...]]`: the settings that may hold a list, with
  their values, empty where there is one value or none.
- `unread_keys(self) -> frozenset[str]`: the settings that are left out of a TOML at their default,
  as they are of another part than the one that is chosen.
- `from_values(cls, values) -> root`: how flat values become a configuration, where that takes
  more than `build`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from typing import Any, TypeVar, cast, get_type_hints
from urllib.parse import quote, unquote_to_bytes

from mot_dinov3.config.fields import flag_fields
from mot_dinov3.errors import hide_secrets

ENVIRONMENT_PREFIX = "MOT_"
OWN = ""
"""The name of the stage that a root's own flags make up."""
QUOTED = "quoted"
"""The key under which a TOML has a text with bytes that are not UTF-8, quoted as in a URL."""

Root = TypeVar("Root")


def stages(root: type) -> dict[str, type]:
    """Stage name -> its configuration class, in the order of the fields; the root's own first."""
    hints = get_type_hints(root)
    own = {OWN: root} if flag_fields(root) else {}
    return own | {
        item.name: hints[item.name] for item in fields(root) if is_dataclass(hints[item.name])
    }


def stage_of(config: object, name: str) -> Any:  # noqa: ANN401 - the stage's own class
    """The stage called `name` of a configuration."""
    return getattr(config, name) if name else config


def key_of(item: Field[Any]) -> str:
    """The configuration key of a flag: `--embed-budget-ms` -> `embed_budget_ms`."""
    return str(item.metadata["flag"]).removeprefix("--").replace("-", "_")


def flag_of(key: str) -> str:
    """The flag of a configuration key: `embed_budget_ms` -> `--embed-budget-ms`."""
    return "--" + key.replace("_", "-")


def kinds_of(root: type) -> dict[str, type]:
    """Configuration key -> the type of its value."""
    out: dict[str, type] = {}
    for stage in stages(root).values():
        kinds = get_type_hints(stage)
        out |= {key_of(item): kinds[item.name] for item in flag_fields(stage)}
    return out


def list_keys(root: type) -> set[str]:
    """The keys whose value may be a list."""
    return set(_several_values(root()))


def build(root: type[Root], values: Mapping[str, Any]) -> Root:
    """A configuration from flat values; a key that is left out keeps its default.

    Raises:
        UsageError: a value breaks the rule of its stage.
    """
    parts: dict[str, Any] = {}
    for name, stage in stages(root).items():
        items = flag_fields(stage)
        given = [item for item in items if key_of(item) in values]
        chosen = {item.name: _join(values[key_of(item)]) for item in given}
        parts |= {name: stage(**chosen)} if name else chosen
    return root(**parts)


def _join(value: Any) -> Any:  # noqa: ANN401 - of any kind
    """The values of a flag that takes several as the text that its field is."""
    return ",".join(map(str, value)) if isinstance(value, list) else value


def from_values(root: type[Root], values: Mapping[str, Any]) -> Root:
    """A configuration from flat values, by the root's own rule if it has one.

    Raises:
        UsageError: a value breaks the rule of its stage.
    """
    own_rule = getattr(root, "from_values", None)
    return cast("Root", own_rule(values)) if own_rule else build(root, values)


def as_dict(config: object) -> dict[str, Any]:
    """The configuration as flat keys and values, for `--stats-json`; secrets are blanked out."""
    values = {
        key_of(item): getattr(stage_of(config, name), item.name)
        for name, stage in stages(type(config)).items()
        for item in flag_fields(stage)
    }
    return {k: hide_secrets(v) if isinstance(v, str) else v for k, v in values.items()}


def to_toml(config: object) -> str:
    """The configuration as TOML that `--config` reads back."""
    several, own_rule = _several_values(config), getattr(config, "unread_keys", None)
    unread: frozenset[str] = own_rule() if own_rule else frozenset()
    lines: list[str] = []
    for name, kind in stages(type(config)).items():
        stage = stage_of(config, name)
        lines += [f"[{name}]"] if name else []
        for item in flag_fields(kind):
            value = several.get(key_of(item)) or getattr(stage, item.name)
            if key_of(item) in unread and value == item.default:
                continue
            lines.append(f"{key_of(item)} = {_literal(value)}")
        lines.append("")
    return "\n".join(lines)


def is_foreign(text: str) -> bool:
    """Whether a text holds bytes of a file's name that are not UTF-8, which TOML cannot."""
    return any("\udc80" <= letter <= "\udcff" for letter in text)


def unquote_name(table: Mapping[str, str]) -> str:
    """The text that `to_toml` wrote as `{ quoted = "caf%E9.mp4" }`."""
    return os.fsdecode(unquote_to_bytes(table[QUOTED]))


def _several_values(config: object) -> dict[str, tuple[str, ...]]:
    own_rule = getattr(config, "several_values", None)
    return dict(own_rule()) if own_rule else {}


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):
        if is_foreign(value):
            return f'{{ {QUOTED} = "{quote(os.fsencode(value))}" }}'
        escaped = "".join(
            c if c.isprintable() and c not in '\\"' else f"\\U{ord(c):08x}" for c in value
        )
        return f'"{escaped}"'
    return repr(value)
