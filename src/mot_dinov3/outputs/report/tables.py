"""Small tables of a page: stages, settings, versions, and a line of facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.config.flat import as_dict, flag_of
from mot_dinov3.errors import hide_secrets
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.time_charts import COLOURS, OTHER
from mot_dinov3.runtime.statistics import WAIT
from mot_dinov3.values.run_facts import RunFacts, StageFacts

LONGEST = 300
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A name and its value."""

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


def find_stages(run: RunData) -> Mapping[str, StageFacts]:
    """The times of every stage by the facts of the run, or else by its frames.

    The frames come second, as each was recorded before it was written completely.
    """
    if run.facts is not None and run.facts.stages:
        return run.facts.stages
    if not len(run.frames):
        return {}
    stages = {name: ms for name, ms in run.frames.stages.items() if name != WAIT}
    total = sum(float(ms.sum()) for ms in stages.values()) or 1.0
    return {
        name: StageFacts(float(ms.mean()), float(np.percentile(ms, 95)), float(ms.sum()) / total)
        for name, ms in stages.items()
    }


def build_stage_rows(run: RunData) -> list[StageRow]:
    """Mean, 95th percentile and share of every stage, the longest first."""
    longest_first = sorted(find_stages(run).items(), key=lambda item: -item[1].share)
    return [
        StageRow(
            name=name,
            colour=COLOURS.get(name, OTHER),
            mean=f"{known.mean_ms:.2f}",
            p95=f"{known.p95_ms:.2f}",
            share=f"{100 * known.share:.1f} %",
        )
        for name, known in longest_first
    ]


def list_settings(run: RunData, *, changed: bool = False) -> list[SettingRow]:
    """The settings of a run by flag.

    Args:
        run: the run.
        changed: leave out settings that have their default.
    """
    usual = as_dict(TrackConfig())
    return [
        SettingRow(flag_of(key), to_text(value))
        for key, value in sorted(run.settings.items())
        if not changed or key not in usual or usual[key] != value
    ]


def list_versions(run: RunData) -> list[SettingRow]:
    """The versions of the packages that the run was made with."""
    known = (run.facts.versions if run.facts else None) or {}
    return [SettingRow(name, to_text(value)) for name, value in known.items()]


def describe_run(run: RunData) -> list[str]:
    """The models, the policy, the device and the size of the frames, in a few words each."""
    known = run.facts or RunFacts()
    words = [
        *(known.models or {}).items(),
        ("policy", run.settings.get("embed_policy")),
        ("on", known.device.name if known.device else ""),
    ]
    out = [f"{to_text(word)} {to_text(value)}" for word, value in words if value]
    if known.frame_size is not None:
        width, height = known.frame_size
        out.append(f"{width} x {height} pixels")
    if known.repeatable is False:
        out.append("not repeatable: its budget follows measured times")
    return out


def to_text(value: object) -> str:
    """A value as text, without secrets and at most 300 characters long."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = hide_secrets(f"{value:g}" if isinstance(value, float) else str(value))
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."
