"""The figures of a run: as it wrote them down, or counted again from its frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mot_dinov3.outputs.report.frames import COUNTS
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.runtime.distribution import spread_of
from mot_dinov3.values.run_facts import (
    AppearanceFacts,
    BudgetFacts,
    EmbeddingFacts,
    LineFacts,
    RunFacts,
    Spread,
    ZoneFacts,
)


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """What the cards say; None for what is not known.

    Attributes:
        frames: tracked frames.
        fps: frames a second of the run, `source_fps` of its source.
        seconds: of the source that were tracked.
        latency_ms: from the beginning of a frame's reading until it was written.
        budget: what embedding was allowed to take and what it took.
        embeddings: what became of the embeddings.
        confirmed: confirmed tracks.
        initiated: all tracks that ever began.
        faults: kind -> how often, of those that were met.
        appearance: what was learned of the embedder.
        identities: class name -> confirmed tracks.
        lines: name -> crossings, of the lines at which the run counted.
        zones: name -> visits, of the zones.
    """

    frames: int
    fps: float | None
    source_fps: float | None
    seconds: float | None
    latency_ms: Spread | None
    budget: BudgetFacts | None
    embeddings: EmbeddingFacts | None
    confirmed: int | None
    initiated: int | None
    faults: Mapping[str, int] | None
    appearance: AppearanceFacts | None = None
    identities: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, LineFacts] = field(default_factory=dict)
    zones: Mapping[str, ZoneFacts] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """Share that was computed of all embeddings that there could have been."""
        known = self.embeddings
        if known is None:
            return None
        whole = known.computed + known.reused + known.deferred + known.starved
        return known.computed / whole if whole else None


def find_figures(run: RunData) -> ReportFigures:
    """What is known of a run; its frames come before its sums, but for what took time."""
    facts, table = run.facts or RunFacts(), run.frames
    counts, faults = facts.counts, facts.faults
    time_s = table["time_s"]
    source_fps = (facts.source.fps if facts.source else 0.0) or _pace(run)
    seconds = float(time_s[-1] - time_s[0]) + 1 / (source_fps or 25.0) if len(table) else None
    confirmed = sum(track.confirmed for track in run.tracks.values()) if len(table) else None
    return ReportFigures(
        frames=len(table) or facts.frames,
        fps=facts.fps,
        source_fps=source_fps,
        seconds=seconds,
        latency_ms=facts.latency_ms or _measured_latency(run),
        budget=_count_overshoots(run) if len(table) else facts.budget,
        embeddings=_count_embeddings(run) if len(table) else facts.embeddings,
        confirmed=confirmed if counts is None or confirmed is not None else counts.confirmed,
        initiated=counts.initiated if counts else None,
        faults=None if faults is None else {kind: n for kind, n in faults.items() if n},
        appearance=counts.appearance if counts else None,
        identities=facts.identities or _count_identities(run),
        lines=facts.lines or {},
        zones=facts.zones or {},
    )


def _count_identities(run: RunData) -> dict[str, int]:
    """The confirmed tracks by the class of their last boxes, where the run did not count them."""
    confirmed = [track for track in run.tracks.values() if track.confirmed]
    return dict(Counter(run.class_of(track) for track in confirmed).most_common())


def _pace(run: RunData) -> float | None:
    """Frames a second by the times of the frames, where the source's rate was not written down."""
    frame, time_s = run.frames["frame"], run.frames["time_s"]
    if len(frame) < 2 or time_s[-1] <= time_s[0]:
        return None
    return round(float((frame[-1] - frame[0]) / (time_s[-1] - time_s[0])), 2)


def _measured_latency(run: RunData) -> Spread | None:
    """Latency by the frames, each of which was put down before it was through."""
    measured = run.frames["latency_ms"]
    measured = measured[~np.isnan(measured)]
    return spread_of(measured.tolist()) if len(measured) else None


def _count_overshoots(run: RunData) -> BudgetFacts:
    limit, embed, critical = (run.frames[n] for n in ("budget_ms", "embed_ms", "critical_ms"))
    usual_ms = float(np.median(limit))
    if not usual_ms:
        return BudgetFacts(0.0)
    return BudgetFacts(
        ms=usual_ms,
        frames_over=int((embed > limit).sum()),
        worst_over_ms=float(np.maximum(embed - limit, 0).max()),
        frames_critical_over=int((critical > limit).sum()),
    )


def _count_embeddings(run: RunData) -> EmbeddingFacts:
    counts = {name: int(np.nansum(run.frames[name])) for name in COUNTS}
    computed = counts["critical"] + counts["refresh"]
    return EmbeddingFacts(computed, **counts, per_frame=computed / len(run.frames))
