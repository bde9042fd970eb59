"""The whole configuration as flat keys and values."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, get_type_hints

from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.errors import hide_secrets


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
