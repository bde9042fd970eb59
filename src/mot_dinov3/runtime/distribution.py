"""Figures of any number of samples in bounded memory."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values.run_facts import Spread

EXACT = 4096
"""The first samples, so many of them, are kept as they are."""

WIDTH = math.log(1.005)
"""Later ones are counted in buckets whose ends differ by half a percent."""

LEAST = 1e-6
"""Smaller samples count as this much."""

QUANTILES = (0.5, 0.95, 0.99)
"""Share of the samples that lies below each quantile of a `Spread`, in the order of its fields."""


class Distribution:
    """Counts, adds up and ranks samples that are not negative.

    Quantiles are exact for the first few thousand samples; of longer runs they are right to a
    half a percent, whatever the order of the samples (a histogram with logarithmic
    buckets, as of HdrHistogram).

    Attributes:
        count: how many samples there were.
        total: their sum.
        most: the largest, 0 for none.
        samples: the first of them, at most `EXACT`.
    """

    __slots__ = ("_later", "_least", "count", "most", "samples", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = self.most = 0.0
        self.samples = array("d")
        self._least = math.inf
        self._later: Counter[int] = Counter()

    def __len__(self) -> int:
        return self.count

    def add(self, value: float) -> None:
        """Take one more sample."""
        self.count += 1
        self.total += value
        self.most, self._least = max(self.most, value), min(self._least, value)
        if self.count <= EXACT:
            self.samples.append(value)
        else:
            self._later[math.floor(math.log(max(value, LEAST)) / WIDTH)] += 1

    @property
    def mean(self) -> float:
        """0 for no samples."""
        return self.total / self.count if self.count else 0.0

    def quantiles(self, shares: Sequence[float]) -> NDArray[np.float64]:
        """The values below which these shares of the samples lie; zeros for no samples."""
        if not self.count:
            return np.zeros(len(shares))
        first = np.frombuffer(self.samples, np.float64)
        if not self._later:
            return np.quantile(first, shares)
        middles = np.exp((np.fromiter(self._later, np.float64) + 0.5) * WIDTH)
        values = np.concatenate((first, middles))
        weights = np.concatenate((np.ones(len(first)), np.fromiter(self._later.values(), float)))
        order = np.argsort(values, kind="stable")
        below = np.cumsum(weights[order])
        rows = np.searchsorted(below, np.asarray(shares) * (self.count - 1), side="right")
        return np.asarray(values[order][rows].clip(self._least, self.most), np.float64)

    def spread(self) -> Spread:
        """Mean, median, 95th and 99th percentile; zeros for no samples."""
        return Spread(self.mean, *self.quantiles(QUANTILES).tolist())


def spread_of(samples: Sequence[float]) -> Spread:
    """The spread of samples that are all there: exact, and they may be negative."""
    if not len(samples):
        return Spread(0.0, 0.0, 0.0, 0.0)
    return Spread(float(np.mean(samples)), *np.quantile(samples, QUANTILES).tolist())


def summarise(samples: Sequence[float]) -> dict[str, float]:
    """The spread of samples by the names of its figures, rounded to three digits."""
    return {name: round(value, 3) for name, value in asdict(spread_of(samples)).items()}
