"""The budget on the real clock: real crops, the real embedder, this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.simulated import summarise_counts
from mot_dinov3.lab.benchmarks.unsteadiness import (
    Metronome,
    create_fixed_work,
    measure_unsteadiness,
)
from mot_dinov3.lab.recordings.clip import ClipPlayer
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.modular import ModularTracker, person_sized_box
from mot_dinov3.values import EmbedCounts, Frame

OVER_SHARE = 0.03
SIZES = (1, 2, 4, 8, 16)


@dataclass(slots=True)
class BudgetRounds:
    """What one budget showed over all rounds.

    Attributes:
        budget_ms: what a frame may spend.
        counts: one entry a frame.
        machine_ms: the same one-core work repeated between the frames.
        same_batch_ms: the same batch embedded between the frames, fractions of its round's median.
    """

    budget_ms: float
    counts: list[EmbedCounts] = field(default_factory=list)
    machine_ms: list[float] = field(default_factory=list)
    same_batch_ms: list[float] = field(default_factory=list)


def measure_budget(context: BenchmarkContext) -> Report:
    """Measure the share of frames over budget whose critical work fitted, at several budgets."""
    by_budget = [BudgetRounds(budget_ms) for budget_ms in context.settings.budgets_ms]
    for _ in range(context.settings.rounds):  # A B C A B C: a slow spell hits every budget
        for rounds in by_budget:
            run_pass(context, rounds)
    rows = [
        ResultRow(f"{rounds.budget_ms:g} ms", summarise_case(rounds), Bar("over_share", OVER_SHARE))
        for rounds in by_budget
    ]
    notes = [
        "machine_over: how often identical one-core work between the frames took over 1.1 times "
        "its median; same_batch_over: the same for one and the same batch of crops.",
        "ratio: measured over predicted cost of a frame; fitted: critical work alone was within "
        "the budget.",
    ]
    return Report(f"real clock; {context.title}", rows, notes)


def run_pass(context: BenchmarkContext, rounds: BudgetRounds) -> None:
    """Track the clip once with one budget, and measure the machine's unsteadiness in between."""
    config = context.config
    scheduler = replace(
        config.scheduler, budget_ms=rounds.budget_ms, budget_crops=0, embed_all=False
    )
    player = ClipPlayer(context.recorded)
    tracker = assemble(config, Models(player, context.embedder), scheduler=scheduler)
    metronomes: list[Metronome] = []
    with context.open_reader() as frames:
        for frame in frames:
            if not metronomes:
                tracker.warm_up(frame)
                work = (
                    create_fixed_work(rounds.budget_ms),
                    repeat_batch(tracker, frame, rounds.budget_ms),
                )
                metronomes = [Metronome(item) for item in work]
            rounds.counts.append(tracker.step(frame).embed)
            metronomes[len(rounds.counts) % 2].tick()
    for metronome, samples in zip(
        metronomes, (rounds.machine_ms, rounds.same_batch_ms), strict=True
    ):
        middle = float(np.median(metronome.samples_ms or [1.0]))
        samples += [ms / middle for ms in metronome.samples_ms]


def repeat_batch(tracker: ModularTracker, frame: Frame, budget_ms: float) -> Callable[[], object]:
    """Make a function that embeds the same batch, as large as fits the budget, each time."""
    embedder, model = tracker.embedder, tracker.scheduler.model
    if embedder is None:
        return lambda: None
    n = max((n for n in SIZES if model.typical_ms(n) <= budget_ms), default=1)
    image, boxes = frame.image, np.repeat(person_sized_box(frame), n, axis=0)
    return lambda: embedder.embed(image, boxes)


def summarise_case(rounds: BudgetRounds) -> Figures:
    """Compute all figures of a budget."""
    counts, frames = rounds.counts, max(len(rounds.counts), 1)
    figures = summarise_counts(counts, rounds.budget_ms)
    ratio = [item.embed_ms / item.predicted_ms for item in counts if item.predicted_ms > 0]
    p50, p95 = np.percentile(ratio, [50, 95]) if ratio else (0.0, 0.0)
    machine, batch = (
        measure_unsteadiness(rounds.machine_ms),
        measure_unsteadiness(rounds.same_batch_ms),
    )
    return {
        **figures,
        "crops": round(sum(item.computed for item in counts) / frames, 2),
        "deferred": round(sum(item.deferred for item in counts) / frames, 2),
        "ratio_p50": round(float(p50), 3),
        "ratio_p95": round(float(p95), 3),
        "machine_over": machine["over_share"],
        "machine_p95": machine["p95_ratio"],
        "machine_p99": machine["p99_ratio"],
        "same_batch_over": batch["over_share"],
        "same_batch_p95": batch["p95_ratio"],
    }
