"""Cost and memory of planning and tracking for more and more objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.data.synthetic.crowd import CrowdConfig
from mot_dinov3.lab.benchmarks.association import DIM, measure_step_costs
from mot_dinov3.lab.benchmarks.base import Bar, Figures, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import count_rounds, drop_unknown, fit_exponent
from mot_dinov3.lab.benchmarks.machine import memory_mb, open_one_core_pool
from mot_dinov3.lab.recordings.crowd import record_crowd
from mot_dinov3.runtime.distribution import summarise

OBJECTS = (10, 50, 100, 300, 1000)
JUDGED = (50, 300)
"""From how many to how many objects the bar holds."""

MOST_GROWTH = 1.3
FRAMES, SKIPPED = 60, 10
KINDS = {f"embeddings of {DIM}": DIM, "motion only": 0}


@dataclass(frozen=True, slots=True)
class Pass:
    """Milliseconds a frame and the megabytes that were gained by tracking."""

    spent_ms: list[float]
    rss_mb: float


def measure_objects(context: BenchmarkContext) -> list[ResultRow]:
    """Measure a row for each number of objects, with and without embeddings, and the growth."""
    rounds, config = count_rounds(context.settings.rounds), context.settings.config
    rows = []
    for kind, dim in KINDS.items():
        passes: dict[int, list[Pass]] = {people: [] for people in OBJECTS}
        for _ in range(rounds):
            for people, done in passes.items():
                with open_one_core_pool() as pool:  # a new process: memory starts from the same
                    done.append(pool.submit(track_crowd, config, people, dim).result())
        middles = [middle_ms(done) for done in passes.values()]
        rows += [
            ResultRow(f"{n} objects, {kind}", summarise_passes(done)) for n, done in passes.items()
        ]
        rows.append(build_growth_row(kind, OBJECTS, middles))
    return rows


def track_crowd(config: TrackConfig, people: int, dim: int) -> Pass:
    """Track a crowd of so many, all but detecting and embedding on the clock."""
    recorded = record_crowd(CrowdConfig(people, dim), FRAMES)
    before_mb = memory_mb()
    spent_ms = measure_step_costs(config, recorded)
    return Pass(spent_ms[SKIPPED:], memory_mb() - before_mb)


def middle_ms(passes: Sequence[Pass]) -> float:
    """The median of the rounds' medians."""
    return float(np.median([np.median(one.spent_ms) for one in passes]))


def summarise_passes(passes: Sequence[Pass]) -> Figures:
    """Compute milliseconds a frame over all rounds, and the memory of the middle one."""
    figures = summarise([ms for one in passes for ms in one.spent_ms])
    rss = float(np.median([one.rss_mb for one in passes]))
    return drop_unknown(
        {"p50_ms": figures["p50"], "p95_ms": figures["p95"], "rss_mb": round(rss, 1)}
    )


def build_growth_row(kind: str, objects: Sequence[int], middles: Sequence[float]) -> ResultRow:
    """Build the row of the exponent over all numbers of objects, and of the judged one."""
    pairs = [(n, ms) for n, ms in zip(objects, middles, strict=True) if is_judged(n)]
    inside = fit_exponent([n for n, _ in pairs], [ms for _, ms in pairs])
    figures = {
        "growth": fit_exponent(objects, middles),
        f"growth_{JUDGED[0]}_to_{JUDGED[1]}": inside,
    }
    rounded = {name: round(value, 3) for name, value in drop_unknown(figures).items()}
    bar = Bar(f"growth_{JUDGED[0]}_to_{JUDGED[1]}", MOST_GROWTH)
    return ResultRow(f"growth with objects, {kind}", rounded, bar)


def is_judged(objects: int) -> bool:
    """Whether the bar looks at so many objects."""
    return JUDGED[0] <= objects <= JUDGED[1]
