"""How unsteady the machine itself is: the same work, over and over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np

from mot_dinov3.lab.benchmarks.base import Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.runtime.statistics import TOLERANCE

EDGE = 64
"""Small enough that no library spreads the product over threads, which would disturb others."""

LEAST_REPEATS, MOST_REPEATS = 40, 400
TOTAL_MS = 4000.0


class Metronome:
    """Times the same work again and again.

    Attributes:
        samples_ms: what each time took.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.samples_ms: list[float] = []

    def tick(self) -> None:
        """Do the work once and note its time."""
        started = perf_counter()
        self.work()
        self.samples_ms.append((perf_counter() - started) * 1000)


def create_fixed_work(length_ms: float) -> Callable[[], None]:
    """Work on one core that takes about `length_ms` when nothing disturbs it."""
    normal = np.random.default_rng(0).normal(size=(EDGE, EDGE))
    matrix = np.linalg.qr(normal)[0].astype(np.float32)  # a rotation: products neither grow nor die

    def work(times: int) -> None:
        product = matrix
        for _ in range(times):
            product = matrix @ product

    trial, samples = 100, []
    for _ in range(20):
        started = perf_counter()
        work(trial)
        samples.append((perf_counter() - started) * 1000 / trial)
    times = max(1, round(length_ms / float(np.median(samples))))
    return lambda: work(times)


def measure_unsteadiness(samples_ms: Sequence[float]) -> Figures:
    """High quantiles over the median, and the share beyond the tolerance of a budget."""
    if not len(samples_ms):
        return {"p50_ms": 0.0, "p95_ratio": 0.0, "p99_ratio": 0.0, "over_share": 0.0}
    p50, p95, p99 = np.percentile(samples_ms, [50, 95, 99])
    over = np.asarray(samples_ms) > TOLERANCE * p50
    return {
        "p50_ms": round(float(p50), 3),
        "p95_ratio": round(float(p95 / p50), 3),
        "p99_ratio": round(float(p99 / p50), 3),
        "over_share": round(float(over.mean()), 4),
    }


def measure_machine(context: BenchmarkContext) -> Report:
    """Repeat the same one-core work, as long as each budget."""
    rows = []
    for length_ms in context.settings.budgets_ms:
        metronome = Metronome(create_fixed_work(length_ms))
        repeats = repeats_for(length_ms) * context.settings.rounds
        for _ in range(repeats):
            metronome.tick()
        figures = {"repeats": repeats, **measure_unsteadiness(metronome.samples_ms)}
        rows.append(ResultRow(f"work of {length_ms:g} ms", figures))
    notes = [f"over_share: how often identical work takes over {TOLERANCE:g} times its median."]
    return Report("the machine's own unsteadiness", rows, notes)


def repeats_for(length_ms: float) -> int:
    """How often work of that length is repeated: some seconds in all."""
    return int(np.clip(TOTAL_MS / max(length_ms, 1e-3), LEAST_REPEATS, MOST_REPEATS))
