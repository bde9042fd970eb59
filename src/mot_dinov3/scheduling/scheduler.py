"""Spends the embedding budget of a frame: critical crops first, then refreshes that fit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.runtime.timing import Clock
from mot_dinov3.scheduling.budget import FrameRateBudget, TimeBudget, create_budget
from mot_dinov3.scheduling.cost_model import CostModel
from mot_dinov3.scheduling.frame_batches import EmbedRows, FrameBatches
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

WARM_UP_SIZES = (1, 2, 4, 8, 16)
"""Crops in the batches that are timed before the first frame."""


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


class Spending(NamedTuple):
    """What the budget of a frame was spent on.

    Attributes:
        starved: critical rows that a hard budget refused.
        deferred: refresh rows that did not fit.
        embed_ms: milliseconds of all batches.
        critical_ms: milliseconds until the last critical batch was done.
    """

    starved: int
    deferred: int
    embed_ms: float
    critical_ms: float


class EmbeddingScheduler:
    """Runs a plan against the clock.

    Args:
        config: policy, budget and batches.
        clock: seconds.
        synchronise: waits for the device; called at both ends of the step and nowhere else, for
            an embedder that hands out arrays has waited for its own work.
        whole_frame: the embedder looks at whole pictures: any number of rows costs one pass,
            all of them are embedded together, and budgets count passes.
        buckets: gives the sizes that batches are filled up to, see `CostModel`.

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
        buckets: Callable[[], Sequence[int]] = tuple,
    ) -> None:
        self.synchronise = synchronise
        self.whole_frame = whole_frame
        self.config = config
        self.clock = clock
        self.model = CostModel(buckets)
        self.budget = create_budget(config, self.model, clock)
        self.fits: Callable[[int, int], int] = self.budget.fits
        self._warned = False

    def warm_up(self, embed_batch: Callable[[int], object], limit_s: float = 3.0) -> None:
        """Learn the cost of batches before the first frame, outside every statistic.

        The first call of every size pays for kernels and memory and is not learned. Sizes grow
        until `limit_s` seconds are used up or a batch costs far more than the budget. What is
        learned is how costs grow with the size; the start of a program is no measure of the load.
        Costs that are known already, as another scheduler learned them, are not learned again.
        Where batches are filled up to a few sizes, each of these is run once before, whatever that
        takes, so that no frame has to wait for it.
        """
        if not self.model.known:
            self._learn_sizes(embed_batch, limit_s)
        self.model.forget_load()

    def adopt(self, model: CostModel) -> None:
        """Learn costs together with another scheduler that has the same embedder."""
        self.model = self.budget.model = model

    def _learn_sizes(self, embed_batch: Callable[[int], object], limit_s: float) -> None:
        for n in self.model.buckets():
            embed_batch(n)
        started = self.clock()
        sizes = self.model.buckets() or WARM_UP_SIZES
        for n in sizes[:1] if self.whole_frame else sizes:
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
            plan: what should become of each detection's embedding.
            embed: embeds some rows as one batch.
            remembered: what the tracks in `plan.track` look like, for reuse.

        Returns:
            The embeddings, and what was done for them.
        """
        batches = FrameBatches(
            embed=embed,
            fits=self.fits,
            budget=self.budget,
            model=self.model,
            clock=self.clock,
            whole_frame=self.whole_frame,
        )
        if not len(plan):
            nothing = Embeddings.none(0, remembered.vectors.shape[1])
            return Executed(nothing, self._make_counts(), *batches.share_costs(0))
        spending = self._spend(plan, batches)
        critical = len(plan.critical) - spending.starved
        refreshed = len(plan.refresh) - spending.deferred
        waiting = spending.starved + spending.deferred
        self.budget.close(waiting, refreshed + batches.bounded)
        self._warn_if_too_expensive(waiting)
        embeddings, nonfinite = gather_embeddings(plan, batches, remembered)
        counts = self._make_counts(
            critical=critical,
            refresh=refreshed,
            reused=_count_reused(plan, remembered),
            deferred=spending.deferred,
            starved=spending.starved,
            nonfinite=nonfinite,
            embed_ms=spending.embed_ms,
            critical_ms=spending.critical_ms if critical else 0.0,
            predicted_ms=batches.predicted_ms,
        )
        return Executed(embeddings, counts, *batches.share_costs(len(plan)))

    def pace(self, other_ms: float) -> None:
        """Tell a budget that follows the frame rate what the last frame took beside embedding."""
        self.budget.pace(other_ms)

    def _spend(self, plan: EmbedPlan, batches: FrameBatches) -> Spending:
        """Embed what fits, with the device idle before the clock starts and after it stops."""
        self.synchronise()
        started = self.clock()
        self.budget.open()
        if self.whole_frame:
            starved, deferred = self._run_one_pass(plan, batches)
            after_critical = self.clock()
        else:
            starved = self._run_critical(plan.critical, batches)
            after_critical = self.clock()
            deferred = batches.run_while_it_fits(plan.refresh, self.config.chunk)
        self.synchronise()
        embed_s, critical_s = self.clock() - started, after_critical - started
        return Spending(len(starved), len(deferred), embed_s * 1000, critical_s * 1000)

    def _run_critical(self, rows: IntArray, batches: FrameBatches) -> IntArray:
        """Embed critical rows and return those that a hard budget refused."""
        if self.config.bounds_critical:
            starved = batches.run_while_it_fits(rows, self.config.chunk)
            batches.bounded = len(rows) - len(starved)
            return starved
        for start in range(0, len(rows), self.config.critical_batch):
            batches.run(rows[start : start + self.config.critical_batch])
        return NO_ROWS

    def _run_one_pass(self, plan: EmbedPlan, batches: FrameBatches) -> tuple[IntArray, IntArray]:
        """Embed all wanted rows or none; return the critical and the refresh rows left waiting."""
        wanted = np.concatenate((plan.critical, plan.refresh))
        must = len(plan.critical) > 0 and not self.config.bounds_critical
        if len(wanted) and (must or self.fits(1, 1)):
            batches.run(wanted)
            batches.bounded = len(plan.critical) if self.config.bounds_critical else 0
            return NO_ROWS, NO_ROWS
        return plan.critical, plan.refresh

    def _make_counts(self, **values: float) -> EmbedCounts:
        return EmbedCounts(budget_ms=self.budget.limit_ms, **values)  # type: ignore[arg-type]

    def _warn_if_too_expensive(self, waiting: int) -> None:
        if not waiting or self._warned or not isinstance(self.budget, TimeBudget):
            return
        if cost_ms := self.budget.find_dear_crop():
            self._warned = True
            log.warning(
                "One crop costs %.1f ms here, more than %s", cost_ms, self._describe_shortage()
            )

    def _describe_shortage(self) -> str:
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


def _count_reused(plan: EmbedPlan, remembered: Remembered) -> int:
    """How many rows reuse an embedding that their track really has."""
    track = plan.track[plan.reuse]
    return int(remembered.known[track[track >= 0]].sum())


def gather_embeddings(
    plan: EmbedPlan, batches: FrameBatches, remembered: Remembered
) -> tuple[Embeddings, int]:
    """Put computed and reused vectors in their rows.

    A row whose vector is missing or broken falls back to its track's own, if there is one.

    Args:
        plan: every detection's fate.
        batches: what was computed.
        remembered: what the tracks in `plan.track` look like.

    Returns:
        The embeddings of all rows, and how many computed vectors were not finite.
    """
    n, dim = len(plan), remembered.vectors.shape[1]
    rows = np.concatenate((NO_ROWS, *batches.rows))
    fresh = np.zeros(n, np.bool_)
    continues = plan.track >= 0
    valid = np.zeros(n, np.bool_)
    valid[continues] = remembered.known[plan.track[continues]]
    if not len(rows) and not dim:
        return Embeddings.none(n), 0
    computed = np.concatenate(batches.vectors) if len(rows) else np.empty((0, dim), np.float32)
    finite = np.isfinite(computed).all(axis=1)
    vectors = np.zeros((n, computed.shape[1]), np.float32)
    if dim:
        vectors[valid] = remembered.vectors[plan.track[valid]]
    vectors[rows[finite]] = computed[finite]
    fresh[rows[finite]] = True
    return Embeddings(vectors, fresh, valid | fresh, plan.poor), int(len(rows) - finite.sum())
