"""What a batch of crops will cost, learned while running.

A batch of n crops costs about `a + b * n`, but with steps where kernels change, so the model keeps
medians per batch size and lets the line fill the gaps. On top of this shape comes the load of the
machine: the ratio of recent batches to the shape, of which a high quantile is used, because a
budget that is kept on average is broken half of the time.
"""

from __future__ import annotations

from collections import deque

import numpy as np

PER_SIZE = 24
"""Measurements remembered per batch size."""

RECENT = 48
"""Batches that speak for the current load."""

QUANTILE = 0.95
"""Share of the recent batches that the prediction must cover."""

CAUTION = 1.15
"""Head room while fewer than `ENOUGH` batches were seen."""

ENOUGH = 12


class CostModel:
    """Predicts milliseconds per batch size from measured batches."""

    def __init__(self) -> None:
        self._by_size: dict[int, deque[float]] = {}
        self._medians: dict[int, float] = {}
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT)
        self._line: tuple[float, float] | None = None
        self._load: float | None = None

    @property
    def known(self) -> bool:
        """Whether anything was measured yet."""
        return bool(self._by_size)

    def observe(self, n: int, ms: float) -> None:
        """Learn from a measured batch of `n` >= 1 crops."""
        samples = self._by_size.setdefault(n, deque(maxlen=PER_SIZE))
        samples.append(ms)
        self._medians[n] = float(np.median(samples))
        self._recent.append((n, ms))
        self._line = self._load = None

    def forget_load(self) -> None:
        """Drop what recent batches said: they are too long ago, a probe has to tell anew.

        The shape forgets too, but for its cheapest memory of each size: one slow spell must not
        keep a model out of work for good.
        """
        self._recent.clear()
        for n, samples in self._by_size.items():
            cheapest = min(samples)
            self._by_size[n] = deque([cheapest], maxlen=PER_SIZE)
            self._medians[n] = cheapest
        self._line = self._load = None

    def typical_ms(self, n: int) -> float:
        """The shape: the median cost of a batch of `n`; 0 while nothing is known."""
        if n in self._medians:
            return self._medians[n]
        if not self._medians:
            return 0.0
        fixed, per_crop = self._fit()
        return fixed + per_crop * n

    def predict_ms(self, n: int) -> float:
        """A cost that a batch of `n` will rarely exceed; 0 for n = 0 or while nothing is known."""
        if n <= 0 or not self._medians:
            return 0.0
        return self.typical_ms(n) * self._load_factor()

    def _load_factor(self) -> float:
        if self._load is None:
            ratios = [ms / max(self.typical_ms(n), 1e-6) for n, ms in self._recent] or [1.0]
            caution = CAUTION if len(ratios) < ENOUGH else 1.0
            self._load = float(np.quantile(ratios, QUANTILE)) * caution
        return self._load

    def _fit(self) -> tuple[float, float]:
        """Fixed and per-crop milliseconds of the line through the medians, neither negative."""
        if self._line is None:
            sizes = np.array(list(self._medians), np.float64)
            costs = np.array(list(self._medians.values()), np.float64)
            slope = 0.0
            if len(sizes) > 1:
                slope = float(np.polyfit(sizes, costs, 1)[0])
            if slope <= 0:
                self._line = (0.0, float((costs / sizes).max()))
            else:
                self._line = (max(0.0, float(np.mean(costs - slope * sizes))), slope)
        return self._line
