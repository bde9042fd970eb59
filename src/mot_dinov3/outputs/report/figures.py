"""The figures of a run: as it wrote them down, or counted again from its frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mot_dinov3.outputs.report.frames import COUNTS
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.runtime.distribution import SUMMARY, summarise

MOST_NUMBER = 1e12
"""Larger ones are damage, not figures."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the cards say; None for what is not known.

    Attributes:
        frames: tracked frames.
        fps: frames a second of the run, `source_fps` of its source.
        seconds: of the source that were tracked.
        latency_ms: mean, p50, p95 and p99.
        budget_ms: usual limit a frame, 0 for none.
        over: frames over the limit, `worst_over_ms` by how much the worst was, `critical_over`
            those of them whose critical work alone was too much.
        embedded: fate -> how often, and `computed`.
        tracks: confirmed identities, `born` all that ever began.
        faults: kind -> how often; None where nobody wrote it down.
    """

    frames: int
    fps: float | None
    source_fps: float | None
    seconds: float | None
    latency_ms: Mapping[str, float] | None
    budget_ms: float | None
    over: int | None
    worst_over_ms: float | None
    critical_over: int | None
    embedded: Mapping[str, int] | None
    tracks: int | None
    born: int | None
    faults: Mapping[str, int] | None

    @property
    def share(self) -> float | None:
        """Share that was computed of all embeddings that there could have been."""
        if self.embedded is None:
            return None
        known = ("computed", "reused", "deferred", "starved")
        whole = sum(self.embedded[name] for name in known)
        return self.embedded["computed"] / whole if whole else None


def figures(run: RunData) -> Figures:
    """What is known of a run; its frames come before its sums, but for what took time."""
    stats, table = run.stats, run.frames
    budget = _budget(run)
    time_s = table["time_s"]
    pace = _number(stats.get("source"), "fps") or _pace(run)
    seconds = float(time_s[-1] - time_s[0]) + 1 / (pace or 25.0) if len(table) else None
    confirmed = sum(life.confirmed for life in run.lives.values()) if len(table) else None
    faults = stats.get("faults")
    return Figures(
        frames=len(table) or int(_number(stats, "frames") or 0),
        fps=_number(stats, "fps"),
        source_fps=pace,
        seconds=seconds,
        latency_ms=_latency(run),
        budget_ms=budget.get("ms"),
        over=_whole(budget, "frames_over"),
        worst_over_ms=budget.get("worst_over_ms"),
        critical_over=_whole(budget, "frames_critical_over"),
        embedded=_embedded(run),
        tracks=confirmed if confirmed is not None else _whole(stats.get("tracks"), "confirmed"),
        born=_whole(stats.get("tracks"), "born"),
        faults={str(k): int(v) for k, v in faults.items() if isinstance(v, int) and v}
        if isinstance(faults, Mapping) else None,
    )  # fmt: skip


def _pace(run: RunData) -> float | None:
    """Frames a second by the times of the frames, where nobody wrote down the source's rate."""
    frame, time_s = run.frames["frame"], run.frames["time_s"]
    if len(frame) < 2 or time_s[-1] <= time_s[0]:
        return None
    return round(float((frame[-1] - frame[0]) / (time_s[-1] - time_s[0])), 2)


def _latency(run: RunData) -> Mapping[str, float] | None:
    """As the run summed it up; its frames were put down before they were through."""
    written = run.stats.get("latency_ms")
    if isinstance(written, Mapping):
        found = {name: _number(written, name) for name in SUMMARY}
        known = {name: value for name, value in found.items() if value is not None}
        if known:
            return known
    measured = run.frames["latency_ms"]
    measured = measured[~np.isnan(measured)]
    return summarise(measured.tolist()) if len(measured) else None


def _budget(run: RunData) -> dict[str, float]:
    if not len(run.frames):
        written = run.stats.get("budget")
        known = written if isinstance(written, Mapping) else {}
        return {name: value for name in known if (value := _number(known, name)) is not None}
    limit, embed, critical = (run.frames[n] for n in ("budget_ms", "embed_ms", "critical_ms"))
    usual = float(np.median(limit))
    if not usual:
        return {"ms": 0.0}
    return {
        "ms": usual,
        "frames_over": int((embed > limit).sum()),
        "worst_over_ms": float(np.maximum(embed - limit, 0).max()),
        "frames_critical_over": int((critical > limit).sum()),
    }


def _embedded(run: RunData) -> dict[str, int] | None:
    if len(run.frames):
        counts = {name: int(np.nansum(run.frames[name])) for name in COUNTS}
        return {"computed": counts["critical"] + counts["refresh"], **counts}
    written = run.stats.get("embeddings")
    if not isinstance(written, Mapping):
        return None
    return {name: _whole(written, name) or 0 for name in ("computed", *COUNTS)}


def _number(values: Any, key: str) -> float | None:  # noqa: ANN401 - from a JSON file
    """A finite number of a mapping, None for anything else."""
    value = values.get(key) if isinstance(values, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MOST_NUMBER else None


def _whole(values: Any, key: str) -> int | None:  # noqa: ANN401 - from a JSON file
    value = _number(values, key)
    return None if value is None else int(value)
