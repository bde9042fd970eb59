"""The budget on a simulated clock: how often noise breaks it, and how long slow spells stop it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.runtime.statistics import TOLERANCE
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler, Remembered
from mot_dinov3.values import EmbedCounts, EmbedPlan, FloatArray, IntArray, Reason

OVER_SHARE = 0.01
SPIKE_SHARE, SPIKE = 0.002, 3.0
JITTERS = (0.03, 0.06, 0.12)
FRAMES = 3000
WAITING = 12
"""Refreshes that are due in every frame."""
MOST_HOLE = 10
"""Frames in a row without any refresh where one would fit."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Frames in which every batch takes `factor` times as long.

    Attributes:
        name: when they are.
        first: the first one; -1 begins with the warm-up before frame 0.
        length: how many there are.
        every: after how many frames they come again, 0 for never.
        factor: how much longer a batch takes.
    """

    name: str
    first: int
    length: int
    every: int = 0
    factor: float = 8.0

    def is_in(self, frame: int) -> bool:
        """Whether a frame, or the warm-up as frame -1, is one of them."""
        since = frame - self.first
        return 0 <= (since % self.every if self.every and since >= 0 else since) < self.length


NO_STALL = Stall("no stall", 0, 0)
STALLS = (
    Stall("a stall in the warm-up", -1, 1),
    Stall("a stall of 3 s at the start", -1, 91),
    Stall("one slow crop", 1500, 1, factor=70.0),
    Stall("a stall of 2 s in the middle", 1500, 60),
    Stall("a stall of 2 s every minute", 900, 60, every=1800),
)


@dataclass(frozen=True, slots=True)
class MachineCosts:
    """A machine: a batch of n costs `fixed_ms + crop_ms * n`, blurred and now and then spiked."""

    name: str
    fixed_ms: float
    crop_ms: float
    budget_ms: float


COSTS = (
    MachineCosts("small embedder", 1.5, 4.0, 20.0),
    MachineCosts("ViT-S on a CPU", 10.0, 30.0, 100.0),
)


class SimulatedMachine:
    """A clock that only work moves, and an embedder whose work costs what `MachineCosts` says.

    Attributes:
        frame: the frame that is worked on, -1 for the warm-up.
    """

    def __init__(
        self, cost: MachineCosts, jitter: float, seed: int, stall: Stall = NO_STALL
    ) -> None:
        self.cost, self.jitter, self.stall = cost, jitter, stall
        self.frame = -1
        self.now_s = 0.0
        self._rng = np.random.default_rng(seed)

    def clock(self) -> float:
        """Seconds since the start."""
        return self.now_s

    def embed(self, rows: IntArray) -> FloatArray:
        """Let the time of one batch pass."""
        noise = float(self._rng.lognormal(0, self.jitter))
        spike = SPIKE if self._rng.random() < SPIKE_SHARE else 1.0
        spike *= self.stall.factor if self.stall.is_in(self.frame) else 1.0
        self.now_s += (self.cost.fixed_ms + self.cost.crop_ms * len(rows)) * noise * spike / 1000
        return np.ones((len(rows), 1), np.float32)

    def chance(self, share: float) -> bool:
        """A coin that shows heads this often."""
        return bool(self._rng.random() < share)


def simulate_budget(context: BenchmarkContext) -> Report:
    """Frames over budget under jitter of 3 to 12 % and rare spikes; the clock is simulated."""
    rows = [
        ResultRow(
            f"{cost.name}, {cost.budget_ms:g} ms, jitter {jitter:.0%}",
            simulate(cost, jitter, FRAMES),
            Bar("over_share", OVER_SHARE),
        )
        for cost in COSTS
        for jitter in JITTERS
    ]
    rows += [
        ResultRow(
            f"{cost.name}, {cost.budget_ms:g} ms, {stall.name}",
            simulate(cost, JITTERS[1], FRAMES, stall=stall),
            Bar("longest_hole", MOST_HOLE),
        )
        for cost in COSTS
        for stall in STALLS
    ]
    notes = [
        f"{SPIKE_SHARE:.1%} of the batches take {SPIKE:g} times as long, those in a stall more.",
        "longest_hole: frames in a row outside stalls in which refreshes waited and none ran.",
    ]
    return Report("budget kept on a simulated clock", rows, notes)


def simulate(
    cost: MachineCosts,
    jitter: float,
    frames: int,
    seed: int = 7,
    *,
    stall: Stall = NO_STALL,
    hard: bool = False,
) -> Figures:
    """Run the real scheduler for `frames` frames with more refreshes waiting than ever fit."""
    machine = SimulatedMachine(cost, jitter, seed, stall)
    config = SchedulerConfig(budget_ms=cost.budget_ms, hard_budget=hard)
    scheduler = EmbeddingScheduler(config, machine.clock)
    scheduler.warm_up(lambda n: machine.embed(np.arange(n)), limit_s=60)
    counts, hole, longest = [], 0, 0
    for machine.frame in range(frames):
        critical = int(machine.chance(0.2))
        plan = build_crowded_plan(critical, WAITING)
        known = Remembered(np.ones((len(plan), 1), np.float32), np.ones(len(plan), np.bool_))
        counts.append(scheduler.run(plan, machine.embed, known).counts)
        admitted = counts[-1].computed if hard else counts[-1].refresh
        hole = 0 if admitted or stall.is_in(machine.frame) else hole + 1
        longest = max(longest, hole)
    return {**summarise_counts(counts, cost.budget_ms), "longest_hole": longest}


def build_crowded_plan(critical: int, refresh: int) -> EmbedPlan:
    """Build a plan with so many critical rows, which have no track, and so many due refreshes."""
    rows = np.arange(critical + refresh)
    track = np.where(rows < critical, -1, rows)
    reason = np.where(rows < critical, Reason.WEAK_IOU, Reason.DUE).astype(np.int8)
    return EmbedPlan(rows[:critical], rows[critical:], rows[:0], track, reason)


def summarise_counts(counts: list[EmbedCounts], budget_ms: float) -> Figures:
    """Compute the share of fitted frames over the tolerance, the worst, and what was used."""
    embed = np.array([item.embed_ms for item in counts])
    fitted = np.array([item.critical_ms for item in counts]) <= budget_ms
    over = fitted & (embed > TOLERANCE * budget_ms)
    return {
        "frames": len(counts),
        "fitted": int(fitted.sum()),
        "over_share": round(float(over.sum() / max(fitted.sum(), 1)), 5),
        "worst_over_ms": round(float((embed[fitted] - budget_ms).max(initial=0.0)), 2),
        "used_ms": round(float(embed.mean()), 2) if len(counts) else 0.0,
        "used_share": round(float(embed.mean() / budget_ms), 3) if len(counts) else 0.0,
    }
