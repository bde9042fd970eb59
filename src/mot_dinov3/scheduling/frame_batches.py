"""The batches of crops that are embedded in one frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from mot_dinov3.runtime.timing import Clock
from mot_dinov3.scheduling.budget import Budget
from mot_dinov3.scheduling.cost_model import CostModel
from mot_dinov3.values import BoolArray, FloatArray, IntArray

EmbedRows: TypeAlias = Callable[[IntArray], FloatArray]
"""Embeds the given detection rows in one batch: (n,) rows -> (n, D) unit rows, NaN if it failed."""


@dataclass(slots=True)
class FrameBatches:
    """What ran in one frame, what it gave, and what it was expected to cost.

    Attributes:
        embed: does the work of each batch.
        fits: asks the budget how many of so many waiting crops, at most so many, go on now.
        budget: is charged for each batch.
        model: expects what a batch will cost.
        clock: seconds.
        whole_frame: a batch costs one unit of the budget, and not one for each crop.
        rows: the detection rows of each batch.
        vectors: the vectors of each batch.
        costs: expected and real milliseconds of each batch.
        predicted_ms: expected milliseconds of all.
        bounded: critical rows that ran under a hard budget.
    """

    embed: EmbedRows
    fits: Callable[[int, int], int]
    budget: Budget
    model: CostModel
    clock: Clock
    whole_frame: bool
    rows: list[IntArray] = field(default_factory=list)
    vectors: list[FloatArray] = field(default_factory=list)
    costs: list[tuple[float, float]] = field(default_factory=list)
    predicted_ms: float = 0.0
    bounded: int = 0

    def run(self, rows: IntArray) -> None:
        """Embed `rows` as one batch and charge the measured time to the budget."""
        n = 1 if self.whole_frame else len(rows)
        predicted_ms = self.model.predict_ms(n)
        before = self.clock()
        self.vectors.append(self.embed(rows))
        real_ms = (self.clock() - before) * 1000
        self.budget.charge(n, real_ms)
        self.rows.append(rows)
        self.costs.append((predicted_ms, real_ms))
        self.predicted_ms += predicted_ms

    def run_while_it_fits(self, rows: IntArray, chunk: int) -> IntArray:
        """Embed rows, at most `chunk` at a time, while the budget allows; return those left."""
        while len(rows) and (n := self.fits(len(rows), chunk)):
            self.run(rows[:n])
            rows = rows[n:]
        return rows

    def share_costs(self, n: int) -> tuple[BoolArray, FloatArray, FloatArray]:
        """Divide the costs of all batches among their rows.

        Args:
            n: how many detections there are.

        Returns:
            (n,) bool, embedded; (n,) expected and (n,) real milliseconds, NaN where not embedded.
        """
        admitted = np.zeros(n, np.bool_)
        shares = np.full((2, n), np.nan, np.float32)
        for rows, costs in zip(self.rows, self.costs, strict=True):
            admitted[rows] = True
            shares[:, rows] = np.array(costs, np.float32)[:, None] / len(rows)
        return admitted, shares[0], shares[1]
