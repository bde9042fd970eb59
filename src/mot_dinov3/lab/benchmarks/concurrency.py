"""The whole run with concurrent threads beside the run that does one thing after another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import sleep

import numpy as np

from mot_dinov3.config import OutputConfig
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import compare_rounds, count_rounds
from mot_dinov3.lab.benchmarks.simulated import summarise_counts
from mot_dinov3.lab.recordings.clip import ClipPlayer
from mot_dinov3.outputs.sinks.factory import create_sinks
from mot_dinov3.runs.loop import RunOutcome, RunSettings, run
from mot_dinov3.runtime.distribution import summarise
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.values import Detections, EmbedCounts, Frame, FrameResult

ELSEWHERE_MS = 10.0
WAYS = {
    "one after another": RunSettings(overlap=False),
    "side by side": RunSettings(overlap=True),
}
NO_SLOWER = 0.95
"""Threads must not cost more than this where there is no processor free for them."""


@dataclass(slots=True)
class WayRounds:
    """What one way showed, round by round; `stage_ms` and `counts` are of all its frames."""

    fps: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    busy: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    stage_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: list[EmbedCounts] = field(default_factory=list)

    def add(self, outcome: RunOutcome, counts: list[EmbedCounts]) -> None:
        """Book one round."""
        statistics = outcome.statistics
        self.fps.append(statistics.frames / outcome.wall_s)
        self.latency_ms += statistics.latency_ms.samples
        self.counts += counts
        for name, busy_s in outcome.busy_s.items():
            self.busy[name].append(busy_s / outcome.wall_s)
        for name, spent in statistics.stage_ms.items():
            self.stage_ms[name] += spent.samples


class ElsewherePlayer(ClipPlayer):
    """A recording behind a wait that needs no processor here, as a GPU's work does."""

    def detect(self, frame: Frame) -> Detections:
        """What was seen in that frame, after `ELSEWHERE_MS`."""
        sleep(ELSEWHERE_MS / 1000)
        return super().detect(frame)


def measure_concurrency(context: BenchmarkContext) -> Report:
    """Measure frames a second, latency, stages and overshoot of a budget, both ways by turns."""
    budget_ms = context.settings.budgets_ms[-1]
    scheduler = replace(context.config.scheduler, budget_ms=budget_ms, embed_all=False)

    def here() -> ModularTracker:
        return assemble(
            context.config, Models(context.detector, context.embedder), scheduler=scheduler
        )

    def elsewhere() -> ModularTracker:
        return assemble(context.config, Models(ElsewherePlayer(context.recorded)))

    rows, stages = compare(context, "here", here, budget_ms)
    more, _ = compare(context, "elsewhere", elsewhere, 0.0)
    notes = [
        f"here: {context.title}, budget {budget_ms:g} ms; over_share: frames over 1.1 times of it "
        f"whose critical work fitted. elsewhere: recorded detections after {ELSEWHERE_MS:g} ms in "
        "which no processor here has to work, no embeddings. Latency counts from the beginning of "
        "a frame's reading until it is written."
    ]
    return Report("models here and elsewhere", [*rows, *more, *stages], notes)


def compare(
    context: BenchmarkContext, place: str, tracker: Callable[[], ModularTracker], budget_ms: float
) -> tuple[list[ResultRow], list[ResultRow]]:
    """Run both ways by turns with new trackers; returns rows of the whole, and of the stages."""
    cases = {name: WayRounds() for name in WAYS}
    run_pass(context, tracker(), RunSettings())  # pays for what is loaded on demand
    for _ in range(count_rounds(context.settings.rounds)):
        for name, way in WAYS.items():
            cases[name].add(*run_pass(context, tracker(), way))
    rows = [
        ResultRow(f"{place}, {name}", _summarise(case, budget_ms)) for name, case in cases.items()
    ]
    serial, parallel = (case.fps for case in cases.values())
    ratio = compare_rounds(parallel, serial, "fps_ratio")
    rows.append(ResultRow(f"{place}, ratio", ratio, Bar("fps_ratio", NO_SLOWER, at_least=True)))
    stages = [
        ResultRow(f"{place}, {name}: {stage}", _summarise_stage(samples))
        for name, case in cases.items()
        for stage, samples in case.stage_ms.items()
    ]
    return rows, stages


def run_pass(
    context: BenchmarkContext, tracker: ModularTracker, way: RunSettings
) -> tuple[RunOutcome, list[EmbedCounts]]:
    """Track the clip and write video and MOT text."""
    video, text = context.directory / "overlap.mp4", context.directory / "overlap.txt"
    config = replace(context.config, output=OutputConfig(output=str(video), save_mot=str(text)))
    counts: list[EmbedCounts] = []

    def keep(result: FrameResult, _: object) -> None:
        counts.append(result.embed)

    timer = StageTimer()
    with context.open_reader() as reader:
        sinks = create_sinks(config, reader.info, tracker.detector.names, timer)
        outcome = run(reader, tracker, sinks, timer, keep, way)
    if outcome.error is not None:
        raise outcome.error
    return outcome, counts


def _summarise(case: WayRounds, budget_ms: float) -> Figures:
    latency = summarise(case.latency_ms)
    figures: Figures = {"frames": len(case.counts), "fps": round(float(np.median(case.fps)), 2)}
    figures |= {f"latency_{name}_ms": latency[name] for name in ("p50", "p95", "p99")}
    crops = sum(one.computed for one in case.counts)
    if crops:
        embed_ms = sum(one.embed_ms for one in case.counts)
        figures["embed_ms_per_crop"] = round(embed_ms / crops, 3)
    if budget_ms:
        budget = summarise_counts(case.counts, budget_ms)
        figures |= {name: budget[name] for name in ("fitted", "over_share", "worst_over_ms")}
    busy = {f"{name}_busy": round(float(np.median(some)), 3) for name, some in case.busy.items()}
    return figures | busy


def _summarise_stage(samples: list[float]) -> Figures:
    figures = summarise(samples)
    return {"mean_ms": figures["mean"], "p50_ms": figures["p50"], "p95_ms": figures["p95"]}
