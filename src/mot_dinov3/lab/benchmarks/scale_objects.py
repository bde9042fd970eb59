"""Cost and memory of planning and tracking for more and more objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.data.synthetic.crowd import CrowdConfig
from mot_dinov3.lab.alone import one_core
from mot_dinov3.lab.benchmarks.association import DIM
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Row
from mot_dinov3.lab.benchmarks.context import Bench
from mot_dinov3.lab.benchmarks.growth import exponent, known
from mot_dinov3.lab.benchmarks.rounds import rounds_of
from mot_dinov3.lab.benchmarks.step_cost import step_costs
from mot_dinov3.lab.memory import memory_mb
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


def object_rows(bench: Bench) -> list[Row]:
    """A row for each number of objects, with and without embeddings, and the growth."""
    rounds, config = rounds_of(bench.settings.rounds), bench.settings.config
    rows = []
    for kind, dim in KINDS.items():
        passes: dict[int, list[Pass]] = {people: [] for people in OBJECTS}
        for _ in range(rounds):
            for people, done in passes.items():
                with one_core() as pool:  # a new process: memory starts from the same
                    done.append(pool.submit(track_crowd, config, people, dim).result())
        middles = [middle_ms(done) for done in passes.values()]
        rows += [Row(f"{n} objects, {kind}", object_figures(done)) for n, done in passes.items()]
        rows.append(growth_row(kind, OBJECTS, middles))
    return rows


def track_crowd(config: TrackConfig, people: int, dim: int) -> Pass:
    """Track a crowd of so many, all but detecting and embedding on the clock."""
    recorded = record_crowd(CrowdConfig(people, dim), FRAMES)
    before_mb = memory_mb()
    spent_ms = step_costs(config, recorded)
    return Pass(spent_ms[SKIPPED:], memory_mb() - before_mb)


def middle_ms(passes: Sequence[Pass]) -> float:
    """The median of the rounds' medians."""
    return float(np.median([np.median(one.spent_ms) for one in passes]))


def object_figures(passes: Sequence[Pass]) -> Figures:
    """Milliseconds a frame over all rounds, and the memory of the middle one."""
    figures = summarise([ms for one in passes for ms in one.spent_ms])
    rss = float(np.median([one.rss_mb for one in passes]))
    return known({"p50_ms": figures["p50"], "p95_ms": figures["p95"], "rss_mb": round(rss, 1)})


def growth_row(kind: str, objects: Sequence[int], middles: Sequence[float]) -> Row:
    """The exponent over all numbers of objects, and the one that is judged."""
    pairs = [(n, ms) for n, ms in zip(objects, middles, strict=True) if judged(n)]
    inside = exponent([n for n, _ in pairs], [ms for _, ms in pairs])
    figures = {"growth": exponent(objects, middles), f"growth_{JUDGED[0]}_to_{JUDGED[1]}": inside}
    rounded = {name: round(value, 3) for name, value in known(figures).items()}
    bar = Bar(f"growth_{JUDGED[0]}_to_{JUDGED[1]}", MOST_GROWTH)
    return Row(f"growth with objects, {kind}", rounded, bar)


def judged(objects: int) -> bool:
    """Whether the bar looks at so many objects."""
    return JUDGED[0] <= objects <= JUDGED[1]
