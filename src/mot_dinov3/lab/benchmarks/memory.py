"""Whether memory stays flat while identities come and go."""

from __future__ import annotations

from itertools import islice

from mot_dinov3.config import TrackConfig
from mot_dinov3.data.synthetic.crowd import CrowdConfig
from mot_dinov3.lab.benchmarks.base import Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.machine import (
    SETTLED,
    STATM,
    fit_memory_slope,
    resident_mb,
    run_on_one_core,
)
from mot_dinov3.lab.recordings.crowd import CrowdPlayer
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models

FRAMES = 10_000
EVERY = 50
CROWD = CrowdConfig(people=25, dim=512, life_frames=120, missed=0.05)


def measure_memory(context: BenchmarkContext) -> Report:
    """Measure megabytes gained per 1000 frames, with and without the run's statistics."""
    if not STATM.is_file():
        return Report("memory", [], ["Left out: this system does not tell a process's memory."])
    frames = context.settings.frames or FRAMES
    rows = []
    for label, statistics in (("tracker + scheduler", False), ("with statistics", True)):
        figures = run_on_one_core(measure_growth, context.settings.config, frames, statistics)
        rows.append(ResultRow(label, figures))
    notes = [
        f"{CROWD.people} boxes a frame, {CROWD.life_frames} frames of life on average, "
        f"embeddings of {CROWD.dim}; slope after the first {SETTLED:.0%}."
    ]
    return Report("growth while identities come and go", rows, notes)


def measure_growth(config: TrackConfig, frames: int, statistics: bool) -> Figures:
    """Track a restless crowd for `frames` frames and fit a line to the memory in use."""
    player, kept = CrowdPlayer(CROWD), RunStatistics()
    tracker = assemble(config, Models(player, player))
    used: list[tuple[int, float]] = []
    for frame in islice(player, frames):
        result = tracker.step(frame)
        if statistics:
            kept.add(result, result.stage_ms, sum(result.stage_ms.values()))
        if frame.index % EVERY == 0:
            used.append((frame.index, resident_mb()))
    figures = fit_memory_slope(used)
    return figures | {"born": tracker.tracker.initiated, "alive": len(tracker.tracker)}
