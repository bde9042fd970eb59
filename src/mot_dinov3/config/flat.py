"""The whole configuration as flat keys and values, and as TOML."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, get_type_hints

from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.errors import hide_secrets

ENVIRONMENT_PREFIX = "MOT_"
SOURCE = "source"
"""The key that may have several values; several of them make a batch."""


def stages() -> dict[str, type]:
    """Stage name -> its configuration class, in the order of `TrackConfig`."""
    hints = get_type_hints(TrackConfig)
    return {item.name: hints[item.name] for item in fields(TrackConfig)}


def key_of(item: Field[Any]) -> str:
    """The configuration key of a flag: `--embed-budget-ms` -> `embed_budget_ms`."""
    return str(item.metadata["flag"]).removeprefix("--").replace("-", "_")


def as_dict(config: TrackConfig) -> dict[str, Any]:
    """The configuration as flat keys and values, for `--stats-json`; secrets are blanked out."""
    values = {
        key_of(item): getattr(getattr(config, name), item.name)
        for name, kind in stages().items()
        for item in flag_fields(kind)
    }
    return {k: hide_secrets(v) if isinstance(v, str) else v for k, v in values.items()}


def to_toml(config: TrackConfig) -> str:
    """The configuration as TOML that `--config` reads back."""
    lines: list[str] = []
    for name, kind in stages().items():
        stage = getattr(config, name)
        lines.append(f"[{name}]")
        for item in flag_fields(kind):
            value = getattr(stage, item.name)
            several = config.batch.sources if key_of(item) == SOURCE else ()
            lines.append(f"{key_of(item)} = {_literal(several or value)}")
        lines.append("")
    return "\n".join(lines)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):
        escaped = "".join(
            c if c.isprintable() and c not in '\\"' else f"\\U{ord(c):08x}" for c in value
        )
        return f'"{escaped}"'
    return repr(value)
