"""Cost and memory of one long run: tracker and text outputs, tens of thousands of frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.data.synthetic.crowd import CrowdConfig
from mot_dinov3.lab.benchmarks.base import Figures, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import drop_unknown, fit_exponent
from mot_dinov3.lab.benchmarks.machine import fit_memory_slope, memory_mb, run_on_one_core
from mot_dinov3.lab.recordings.crowd import CrowdPlayer
from mot_dinov3.outputs.sinks.jsonl import JsonLinesSink
from mot_dinov3.outputs.sinks.mot_text import MotTextSink
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.wording import form_of

LENGTHS = (1_000, 10_000, 100_000)
EVERY = 50
CROWD = CrowdConfig(people=10, dim=128, life_frames=120, missed=0.05)


def measure_frames(context: BenchmarkContext) -> list[ResultRow]:
    """Measure a row for each length, and the growth; `--frames` is the most."""
    most = context.settings.frames or LENGTHS[-1]
    lengths = [length for length in LENGTHS if length <= most] or [most]
    figures = run_on_one_core(track_long, context.settings.config, lengths, context.directory)
    rows = [
        ResultRow(f"{n:,} {form_of(n, 'frame')}", drop_unknown(one))
        for n, one in zip(lengths, figures, strict=True)
    ]
    if len(lengths) > 1:
        growth = fit_exponent(lengths, [one["total_s"] for one in figures])
        rows.append(ResultRow("growth with frames", drop_unknown({"growth": round(growth, 3)})))
    return rows


def track_long(config: TrackConfig, lengths: Sequence[int], directory: Path) -> list[Figures]:
    """Track a restless crowd, writing MOT text and JSON lines; what each length took."""
    meter, out = LengthMeter(), []
    with ExitStack() as stack:
        for spent_s in islice(time_steps(config, directory, stack), lengths[-1]):
            meter.add(spent_s)
            if meter.frames in lengths:
                out.append(meter.figures())
    return out


def time_steps(config: TrackConfig, directory: Path, stack: ExitStack) -> Iterator[float]:
    """Time tracking and writing in seconds, frame by frame, for ever."""
    player, timer, kept = CrowdPlayer(CROWD), StageTimer(), RunStatistics()
    tracker = assemble(config, Models(player, player))
    sinks = [
        stack.enter_context(sink)
        for sink in (
            MotTextSink(str(directory / "long.txt"), player.names, timer),
            JsonLinesSink(str(directory / "long.jsonl"), player.names, timer),
        )
    ]
    for frame in player:
        timer.stage_ms = {}
        started = perf_counter()
        result = tracker.step(frame)
        for sink in sinks:
            sink.write(frame, result)
        stage_ms = {**result.stage_ms, **timer.stage_ms}
        kept.add(result, stage_ms, sum(stage_ms.values()))
        yield perf_counter() - started - player.spent_ms / 1000


class LengthMeter:
    """Adds up what frames cost, and watches the memory.

    Attributes:
        frames: how many so far.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._total_s = 0.0
        self._spent_ms: list[float] = []
        self._before_mb = memory_mb()
        self._used: list[tuple[int, float]] = []

    def add(self, spent_s: float) -> None:
        """Count one frame."""
        self.frames += 1
        self._total_s += spent_s
        self._spent_ms.append(spent_s * 1000)
        if self.frames % EVERY == 0:
            self._used.append((self.frames, memory_mb()))

    def figures(self) -> Figures:
        """All so far; the median and the slope of the memory since the last call."""
        used, spent_ms = self._used, self._spent_ms
        self._used, self._spent_ms = [], []
        slope = fit_memory_slope(used, settled=0.0)["mb_per_1000"] if used else math.nan
        middle = float(np.median(spent_ms)) if spent_ms else math.nan
        return {
            "total_s": round(self._total_s, 2),
            "p50_ms": round(middle, 3),
            "rss_mb": round(memory_mb() - self._before_mb, 1),
            "mb_per_1000": slope,
        }
