"""Whether memory stays flat while identities come and go."""

from __future__ import annotations

from itertools import islice

from mot_dinov3.config import TrackConfig
from mot_dinov3.data.synthetic.crowd import CrowdConfig
from mot_dinov3.lab.alone import on_one_core
from mot_dinov3.lab.benchmarks.base import Figures, Report, Row
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.memory import SETTLED, STATM, resident_mb, slope_figures
from mot_dinov3.lab.recordings.crowd import CrowdPlayer
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.modular import Models

FRAMES = 10_000
EVERY = 50
CROWD = CrowdConfig(people=25, dim=512, life_frames=120, missed=0.05)


def memory(bench: Bench) -> Report:
    """Megabytes gained per 1000 frames, with and without the run's statistics."""
    if not STATM.is_file():
        return Report("memory", [], ["Left out: this system does not tell a process's memory."])
    frames = bench.settings.frames or FRAMES
    rows = []
    for label, statistics in (("tracker + scheduler", False), ("with statistics", True)):
        figures = on_one_core(growth, bench.settings.config, frames, statistics)
        rows.append(Row(label, figures))
    notes = [f"{CROWD.people} boxes a frame, {CROWD.life_frames} frames of life on average, "
             f"embeddings of {CROWD.dim}; slope after the first {SETTLED:.0%}."]  # fmt: skip
    return Report("growth while identities come and go", rows, notes)


def growth(config: TrackConfig, frames: int, statistics: bool) -> Figures:
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
    return slope_figures(used) | {"born": tracker.tracker.initiated, "alive": len(tracker.tracker)}
