"""What a batch of crops will cost, learned while running.

A batch of n crops costs about `a + b * n`, but with steps where kernels change, so the model keeps
medians per batch size, its shape, and lets a line fill the gaps. On top of the shape comes the load
of the machine: the ratios of recent batches to the shape, of which a high quantile is used, because
a budget that is kept on average is broken half of the time. What a batch teaches the shape is its
cost at the load of its moment, so that a busy minute is load and not shape.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import median

import numpy as np

PER_SIZE = 24
"""Measurements remembered per batch size."""

RECENT = 48
"""Batches that speak for the current load."""

QUANTILE = 0.95
"""Share of the recent batches that the prediction must cover."""

CAUTION = 1.15
"""Head room while fewer than `ENOUGH` batches were measured."""

ENOUGH = 12
"""Batches from which on the recent ones speak for themselves."""

LEVEL = 9
"""Batches whose median ratio is the load of the moment."""


class CostModel:
    """Predicts milliseconds per batch size from measured batches."""

    def __init__(self) -> None:
        self._by_size: dict[int, deque[float]] = {}
        self._medians: dict[int, float] = {}
        self._ratios: deque[float] = deque(maxlen=RECENT)
        self._line: tuple[float, float] | None = None
        self._load: float | None = None

    @property
    def known(self) -> bool:
        """Whether anything was measured yet."""
        return bool(self._by_size)

    def observe(self, n: int, ms: float) -> None:
        """Learn from a measured batch of `n` >= 1 crops."""
        if n in self._medians:
            self._ratios.append(ms / max(self._medians[n], 1e-6))
            self._load = None
        level = median(list(self._ratios)[-LEVEL:]) if self._ratios else 1.0
        samples = self._by_size.setdefault(n, deque(maxlen=PER_SIZE))
        samples.append(ms / max(level, 1e-6))
        self._medians[n] = median(samples)
        self._line = None

    def forget_load(self) -> None:
        """Forget the recent batches, too long ago by now; a probe measures the load again."""
        self._ratios.clear()
        self._load = None

    def typical_ms(self, n: int) -> float:
        """The median cost of a batch of `n` at the load of the moment; 0 while nothing is known."""
        level = median(self._ratios) if self._ratios else 1.0
        return self.usual_ms(n) * level

    def predict_ms(self, n: int) -> float:
        """A cost that a batch of `n` will rarely exceed; 0 for n = 0 or while nothing is known."""
        if n <= 0 or not self._medians:
            return 0.0
        return self.usual_ms(n) * self._load_factor()

    def usual_ms(self, n: int) -> float:
        """The median cost of a batch of `n` >= 1, whatever the load; 0 while nothing is known."""
        if n in self._medians:
            return self._medians[n]
        if not self._medians:
            return 0.0
        fixed, per_crop = self._fit()
        return fixed + per_crop * n

    def _load_factor(self) -> float:
        if self._load is None:
            caution = CAUTION if len(self._ratios) < ENOUGH else 1.0
            self._load = quantile(self._ratios or [1.0], QUANTILE) * caution
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


def quantile(samples: Iterable[float], share: float) -> float:
    """What numpy's default quantile gives, without its fixed cost on so few samples."""
    ranked = sorted(samples)
    place = share * (len(ranked) - 1)
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (place - low) * (ranked[high] - ranked[low])
