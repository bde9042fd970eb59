"""Small tables of a page: stages, settings, versions, and a line of facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.config.flat import as_dict
from mot_dinov3.errors import hide_secrets
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.time_charts import COLOURS, OTHER
from mot_dinov3.runtime.statistics import WAIT

LONGEST = 300
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """A name and what it stands for."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage as the table shows it."""

    name: str
    colour: str
    mean: str
    p95: str
    share: str


@dataclass(frozen=True, slots=True)
class StageFigures:
    """What a stage took: mean and 95th percentile in ms, and its share of all, from 0 to 1."""

    mean_ms: float
    p95_ms: float
    share: float


def stage_figures(run: RunData) -> dict[str, StageFigures]:
    """Every stage as the run summed it up, else as its frames add up.

    The frames come second: each was put down before its own writing was over.
    """
    written = _mapping(run.stats.get("stages"))
    found = {str(name): _mapping(row) for name, row in written.items()}
    if found:
        keys = ("mean_ms", "p95_ms", "share")
        return {name: StageFigures(*(_real(row.get(key)) for key in keys))
                for name, row in found.items()}  # fmt: skip
    if not len(run.frames):
        return {}
    stages = {name: ms for name, ms in run.frames.stages.items() if name != WAIT}
    total = sum(float(ms.sum()) for ms in stages.values()) or 1.0
    return {
        name: StageFigures(float(ms.mean()), float(np.percentile(ms, 95)), float(ms.sum()) / total)
        for name, ms in stages.items()
    }


def stage_rows(run: RunData) -> list[StageRow]:
    """Mean, 95th percentile and share of every stage, the dearest first."""
    dearest_first = sorted(stage_figures(run).items(), key=lambda item: -item[1].share)
    return [
        StageRow(name, COLOURS.get(name, OTHER), f"{known.mean_ms:.2f}", f"{known.p95_ms:.2f}",
                 f"{100 * known.share:.1f} %")
        for name, known in dearest_first
    ]  # fmt: skip


def settings(run: RunData, *, changed: bool = False) -> list[Row]:
    """The settings of a run by flag, those that are not the default alone where `changed`."""
    usual = as_dict(TrackConfig())
    return [
        Row(flag_of(key), shown(value))
        for key, value in sorted(run.settings.items())
        if not changed or key not in usual or usual[key] != value
    ]


def flag_of(key: str) -> str:
    """`embed_budget_ms` -> `--embed-budget-ms`."""
    return "--" + str(key).replace("_", "-")


def versions(run: RunData) -> list[Row]:
    """What the run was made with."""
    return [Row(str(name), shown(value))
            for name, value in _mapping(run.stats.get("versions")).items()]  # fmt: skip


def facts(run: RunData) -> list[str]:
    """What was tracked by what, in a few words each."""
    stats, device = run.stats, _mapping(run.stats.get("device"))
    size = stats.get("frame_size")
    known = [
        ("detector", stats.get("detector")),
        ("embedder", stats.get("embedder")),
        ("policy", run.settings.get("embed_policy")),
        ("on", device.get("name")),
    ]
    out = [f"{word} {shown(value)}" for word, value in known if value]
    if isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) for n in size):
        out.append(f"{size[0]} x {size[1]} pixels")
    return out


def shown(value: object) -> str:
    """A value as text: without secrets, and not without end."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = hide_secrets(f"{value:g}" if isinstance(value, float) else str(value))
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _real(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
