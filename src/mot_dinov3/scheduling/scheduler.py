"""Spends the embedding budget of a frame: critical crops first, then refreshes that fit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

import numpy as np

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.runtime.timing import Clock
from mot_dinov3.scheduling.budget import Budget, CropBudget, FrameRateBudget, TimeBudget, Unlimited
from mot_dinov3.scheduling.cost_model import CostModel
from mot_dinov3.values import (
    NO_ROWS,
    BoolArray,
    EmbedCounts,
    Embeddings,
    EmbedPlan,
    FloatArray,
    IntArray,
)

log = logging.getLogger("mot_dinov3")

EmbedRows: TypeAlias = Callable[[IntArray], FloatArray]
"""Embeds the given detection rows in one batch: (n,) rows -> (n, D) unit rows, NaN if it failed."""

WARM_UP_SIZES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the tracks of a plan look like: the vectors that may be reused.

    Attributes:
        vectors: (T, D) float32 unit rows where `known`.
        known: (T,) bool, whether there is anything to reuse.
    """

    vectors: FloatArray
    known: BoolArray


@dataclass(frozen=True, slots=True)
class Executed:
    """A plan that was carried out.

    Attributes:
        embeddings: of all N detections.
        counts: what was done for them.
        admitted: (N,) bool, went through the embedder.
        predicted_ms: (N,) float32, share of what the row's batch was expected to cost, else NaN.
        real_ms: (N,) float32, share of what it cost, else NaN.
    """

    embeddings: Embeddings
    counts: EmbedCounts
    admitted: BoolArray
    predicted_ms: FloatArray
    real_ms: FloatArray


class EmbeddingScheduler:
    """Runs a plan against the clock.

    Args:
        config: policy, budget and batches.
        clock: seconds.
        synchronise: waits for the device; called at both ends of the step and nowhere else, for
            an embedder that hands out arrays has waited for its own work.
        whole_frame: the embedder looks at whole pictures: however many rows it is asked for
            cost one pass, all of them are asked for together, and budgets count passes.

    Attributes:
        fits: asks the budget how many of so many waiting crops, at most so many, go on now.
    """

    def __init__(
        self,
        config: SchedulerConfig,
        clock: Clock = perf_counter,
        *,
        synchronise: Callable[[], None] = lambda: None,
        whole_frame: bool = False,
    ) -> None:
        self.synchronise = synchronise
        self.whole_frame = whole_frame
        self.config = config
        self.clock = clock
        self.model = CostModel()
        self.budget = create_budget(config, self.model, clock)
        self.fits: Callable[[int, int], int] = self.budget.fits
        self._said_too_expensive = False

    def warm_up(self, embed_batch: Callable[[int], object], limit_s: float = 3.0) -> None:
        """Learn the cost of batches before the first frame, outside every statistic.

        The first call of every size pays for kernels and memory and is not learned. Sizes grow
        until `limit_s` seconds are used up or a batch costs far more than the budget.
        """
        started = self.clock()
        for n in WARM_UP_SIZES[:1] if self.whole_frame else WARM_UP_SIZES:
            embed_batch(n)
            for _ in range(3):
                before = self.clock()
                embed_batch(n)
                now = self.clock()
                self.model.observe(n, (now - before) * 1000)
                if now - started > limit_s:
                    return
            if self.budget.limit_ms and self.model.typical_ms(n) > 2 * self.budget.limit_ms:
                return

    def run(self, plan: EmbedPlan, embed: EmbedRows, remembered: Remembered) -> Executed:
        """Embed the critical rows, then refresh rows while they still fit.

        Args:
            plan: every detection's fate.
            embed: does the work for some rows, as one batch.
            remembered: what the tracks in `plan.track` look like, for reuse.
        """
        work = _Work(self, embed)
        if not len(plan):
            nothing = Embeddings.none(0, remembered.vectors.shape[1])
            return Executed(nothing, self._counts(), *work.ledger(0))
        self.synchronise()
        started = self.clock()
        self.budget.open()
        if self.whole_frame:
            starved, deferred = self._one_pass(plan, work)
            after_critical = self.clock()
        else:
            starved = self._critical(plan.critical, work)
            after_critical = self.clock()
            deferred = work.while_it_fits(plan.refresh, self.config.chunk)
        self.synchronise()
        ended = self.clock()
        critical, refreshed = len(plan.critical) - len(starved), len(plan.refresh) - len(deferred)
        self.budget.close(len(deferred) + len(starved), refreshed + work.bounded)
        self._say_if_hopeless(len(deferred) + len(starved))
        embeddings, nonfinite = gather(plan, work, remembered)
        counts = self._counts(
            critical=critical,
            refresh=refreshed,
            reused=_reused(plan, remembered),
            deferred=len(deferred),
            starved=len(starved),
            nonfinite=nonfinite,
            embed_ms=(ended - started) * 1000,
            critical_ms=(after_critical - started) * 1000 if critical else 0.0,
            predicted_ms=work.predicted_ms,
        )
        return Executed(embeddings, counts, *work.ledger(len(plan)))

    def _critical(self, rows: IntArray, work: _Work) -> IntArray:
        """Run critical rows; returns those that a hard budget refused."""
        if self.config.bounds_critical:
            starved = work.while_it_fits(rows, self.config.chunk)
            work.bounded = len(rows) - len(starved)
            return starved
        for start in range(0, len(rows), self.config.critical_batch):
            work.batch(rows[start : start + self.config.critical_batch])
        return NO_ROWS

    def _one_pass(self, plan: EmbedPlan, work: _Work) -> tuple[IntArray, IntArray]:
        """Embed everybody wanted or nobody; returns critical rows and others left waiting."""
        wanted = np.concatenate((plan.critical, plan.refresh))
        must = len(plan.critical) > 0 and not self.config.bounds_critical
        if len(wanted) and (must or self.fits(1, 1)):
            work.batch(wanted)
            work.bounded = len(plan.critical) if self.config.bounds_critical else 0
            return NO_ROWS, NO_ROWS
        return plan.critical, plan.refresh

    def _counts(self, **values: float) -> EmbedCounts:
        return EmbedCounts(budget_ms=self.budget.limit_ms, **values)  # type: ignore[arg-type]

    def pace(self, other_ms: float) -> None:
        """Hear what the last frame took beside embedding, for a budget that follows it."""
        self.budget.pace(other_ms)

    def _say_if_hopeless(self, waiting: int) -> None:
        if not waiting or self._said_too_expensive or not self.budget.limit_ms:
            return
        cost_ms = self.model.typical_ms(1)
        if cost_ms > self.budget.limit_ms:
            self._said_too_expensive = True
            log.warning("One crop costs %.1f ms here, more than %s", cost_ms, self._too_little())

    def _too_little(self) -> str:
        if isinstance(self.budget, FrameRateBudget):
            return (
                f"is left of a frame at --target-fps {self.config.target_fps:g} (the rest takes "
                f"{self.budget.other_ms:.1f} ms): hardly anything is embedded. Lower the rate, "
                "or choose a smaller detector or embedder."
            )
        return (
            f"the budget of {self.budget.limit_ms:g} ms: stable tracks are hardly ever "
            "refreshed. Raise --embed-budget-ms or choose a smaller embedder."
        )


class _Work:
    """The batches of one frame: what ran, what it gave, what it was expected to cost."""

    def __init__(self, scheduler: EmbeddingScheduler, embed: EmbedRows) -> None:
        self.clock, self.fits = scheduler.clock, scheduler.fits
        self.budget, self.model = scheduler.budget, scheduler.model
        self.units = 1 if scheduler.whole_frame else 0
        self.embed = embed
        self.rows: list[IntArray] = []
        self.vectors: list[FloatArray] = []
        self.costs: list[tuple[float, float]] = []
        self.predicted_ms = 0.0
        self.bounded = 0

    def batch(self, rows: IntArray) -> None:
        """Embed `rows` at once and book the measured time, as `units` or as so many crops."""
        n = self.units or len(rows)
        predicted_ms = self.model.predict_ms(n)
        before = self.clock()
        self.vectors.append(self.embed(rows))
        real_ms = (self.clock() - before) * 1000
        self.budget.charge(n, real_ms)
        self.rows.append(rows)
        self.costs.append((predicted_ms, real_ms))
        self.predicted_ms += predicted_ms

    def while_it_fits(self, rows: IntArray, chunk: int) -> IntArray:
        """Embed rows chunk by chunk as the budget allows; returns the rows left waiting."""
        while len(rows) and (n := self.fits(len(rows), chunk)):
            self.batch(rows[:n])
            rows = rows[n:]
        return rows

    def ledger(self, n: int) -> tuple[BoolArray, FloatArray, FloatArray]:
        """(n,) rows that were embedded, and their shares of predicted and real milliseconds."""
        admitted = np.zeros(n, np.bool_)
        shares = np.full((2, n), np.nan, np.float32)
        for rows, costs in zip(self.rows, self.costs, strict=True):
            admitted[rows] = True
            shares[:, rows] = np.array(costs, np.float32)[:, None] / len(rows)
        return admitted, shares[0], shares[1]


def create_budget(config: SchedulerConfig, model: CostModel, clock: Clock) -> Budget:
    """The budget that the configuration asks for."""
    if config.budget_crops:
        return CropBudget(config.budget_crops, model)
    if config.target_fps:
        return FrameRateBudget(config.target_fps, model, clock)
    if config.budget_ms:
        return TimeBudget(config.budget_ms, model, clock)
    return Unlimited(model)


def _reused(plan: EmbedPlan, remembered: Remembered) -> int:
    """How many rows stand on an embedding that their track really has."""
    track = plan.track[plan.reuse]
    return int(remembered.known[track[track >= 0]].sum())


def gather(plan: EmbedPlan, work: _Work, remembered: Remembered) -> tuple[Embeddings, int]:
    """Put computed and reused vectors in their rows; returns also how many were not finite.

    A row whose vector is missing or broken falls back to its track's own, if there is one.
    """
    n, dim = len(plan), remembered.vectors.shape[1]
    rows = np.concatenate((NO_ROWS, *work.rows))
    fresh = np.zeros(n, np.bool_)
    continues = plan.track >= 0
    valid = np.zeros(n, np.bool_)
    valid[continues] = remembered.known[plan.track[continues]]
    if not len(rows) and not dim:
        return Embeddings.none(n), 0
    computed = np.concatenate(work.vectors) if len(rows) else np.empty((0, dim), np.float32)
    finite = np.isfinite(computed).all(axis=1)
    vectors = np.zeros((n, computed.shape[1]), np.float32)
    if dim:
        vectors[valid] = remembered.vectors[plan.track[valid]]
    vectors[rows[finite]] = computed[finite]
    fresh[rows[finite]] = True
    return Embeddings(vectors, fresh, valid | fresh, plan.poor), int(len(rows) - finite.sum())
