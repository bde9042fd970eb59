"""What a batch of crops will cost, learned while running.

A batch of n crops costs about `a + b * n`, but with steps where kernels change, so the model keeps
medians per batch size, its shape, and lets a line fill the gaps. On top of the shape comes the load
of the machine: the ratios of recent batches to the shape, of which a high quantile is used, because
a budget that is kept on average is broken half of the time. What a batch teaches the shape is its
cost at the load of its moment, so that a busy minute is load and not shape.

A load that was measured is over at some time, and while nothing runs nothing tells when. So it
fades: after `FADE` frames in which nothing fitted that usually does, what is left of it is what is
usual here.

Where batches are filled up to a few sizes, as recorded ones on a GPU are, a batch of n costs what
the next of these sizes costs, so n stands for that size everywhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from statistics import median

import numpy as np

PER_SIZE = 24
"""Measurements remembered per batch size."""

RECENT = 48
"""Batches that speak for the current load."""

USUAL = 96
"""Batches that speak for the usual load."""

QUANTILE = 0.95
"""Share of the recent batches that the prediction must cover."""

CAUTION = 1.15
"""Head room while fewer than `ENOUGH` batches were measured."""

ENOUGH = 12
"""Batches from which on the recent ones speak for themselves."""

LEVEL = 9
"""Batches whose median ratio is the load of the moment."""

FADE = 9
"""Frames in which nothing fitted that make a measured load the usual one again."""


class CostModel:
    """Predicts milliseconds per batch size from measured batches.

    Args:
        buckets: gives the sizes that batches are filled up to, smallest first; none where every
            batch runs as it is.
    """

    def __init__(self, buckets: Callable[[], Sequence[int]] = tuple) -> None:
        self.buckets = buckets
        self._by_size: dict[int, deque[float]] = {}
        self._medians: dict[int, float] = {}
        self._ratios: deque[float] = deque(maxlen=USUAL)
        self._born: deque[int] = deque(maxlen=RECENT)
        self._idle_frames = 0
        self._line: tuple[float, float] | None = None
        self._load: float | None = None

    @property
    def known(self) -> bool:
        """Whether anything was measured yet."""
        return bool(self._by_size)

    @property
    def stale(self) -> bool:
        """Whether the last measurement is some frames old, in which nothing fitted."""
        return bool(self._idle_since_last())

    def observe(self, n: int, ms: float) -> None:
        """Learn from a measured batch of `n` >= 1 crops."""
        n = fill_up(n, self.buckets())
        expected_ms = self._expect_ms(n, ms)
        if expected_ms:
            self._ratios.append(ms / expected_ms)
            self._born.append(self._idle_frames)
        level = median(list(self._ratios)[-LEVEL:]) if self._ratios else 1.0
        samples = self._by_size.setdefault(n, deque(maxlen=PER_SIZE))
        samples.append(ms / max(level, 1e-6))
        self._medians[n] = median(samples)
        self._line = self._load = None

    def fade(self) -> None:
        """Count a frame in which a crop waited that usually fits, and nothing was admitted."""
        self._idle_frames += 1
        self._load = None

    def forget_load(self) -> None:
        """Forget how busy the machine was; the next batch says it anew."""
        self._ratios.clear()
        self._born.clear()
        self._idle_frames = 0
        self._load = None

    def typical_ms(self, n: int) -> float:
        """The median cost of a batch of `n` at the load of the moment; 0 while nothing is known."""
        recent = list(self._ratios)[-RECENT:]
        return self.shape_ms(n) * (median(recent) if recent else 1.0)

    def usual_ms(self, n: int) -> float:
        """The median cost of a batch of `n` at the usual load; 0 while nothing is known."""
        return self.shape_ms(n) * self._usual_load()

    def predict_ms(self, n: int) -> float:
        """A cost that a batch of `n` will rarely exceed; 0 for n = 0 or while nothing is known."""
        if n <= 0 or not self._medians:
            return 0.0
        return self.shape_ms(n) * self._load_factor()

    def shape_ms(self, n: int) -> float:
        """The median cost of a batch of `n` >= 1, whatever the load; 0 while nothing is known."""
        n = fill_up(n, self.buckets())
        if n in self._medians:
            return self._medians[n]
        if not self._medians:
            return 0.0
        fixed, per_crop = self._fit()
        return fixed + per_crop * n

    def _expect_ms(self, n: int, ms: float) -> float:
        """The cost by the shape to hold a batch of `n` against, 0 where there is none.

        For a size that was never measured it is the possible cost next to `ms`: a batch costs at
        least what a smaller one costs, and per crop at most as much. Within these bounds it may be
        shape as well as load, and says nothing of the load.
        """
        if n in self._medians:
            return max(self._medians[n], 1e-6)
        smaller = max((size for size in self._medians if size < n), default=0)
        larger = min((size for size in self._medians if size > n), default=0)
        low, high = 0.0, np.inf
        if smaller:
            low, high = self._medians[smaller], self._medians[smaller] * n / smaller
        if larger:
            low = max(low, self._medians[larger] * n / larger)
            high = min(high, self._medians[larger])
        nearest = min(max(ms, low), high)
        return 0.0 if nearest == ms else max(nearest, 1e-6)

    def _usual_load(self) -> float:
        return median(self._ratios) if self._ratios else 1.0

    def _idle_since_last(self) -> int:
        return self._idle_frames - (self._born[-1] if self._born else 0)

    def _load_factor(self) -> float:
        """What the recent loads reach now and then, each as far as it has not faded."""
        if self._load is None:
            usual = self._usual_load()
            recent = list(self._ratios)[-RECENT:] or [1.0]
            born = self._born or [0]
            kept = [max(0.0, 1 - ((self._idle_frames - frame) / FADE) ** 2) for frame in born]
            loads = [r - max(r - usual, 0) * (1 - k) for r, k in zip(recent, kept, strict=True)]
            caution = (CAUTION - 1) * kept[-1] if len(self._ratios) < ENOUGH else 0.0
            self._load = max(quantile(loads, QUANTILE) * (1 + caution), self._slow_spell())
        return self._load

    def _slow_spell(self) -> float:
        """What the last two batches both reached, 0 when that is `FADE` idle frames ago."""
        if len(self._ratios) < 2 or self._idle_since_last() >= FADE:
            return 0.0
        return min(self._ratios[-1], self._ratios[-2])

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


def fill_up(n: int, buckets: Sequence[int]) -> int:
    """How many crops a batch of `n` >= 1 really computes.

    Args:
        n: crops in the batch.
        buckets: sizes that are filled up to, smallest first; what is larger than the largest one
            is cut into pieces of it. None where nothing is filled up.
    """
    if not buckets:
        return n
    whole, rest = divmod(n, buckets[-1])
    return whole * buckets[-1] + next((size for size in buckets if size >= rest > 0), 0)


def quantile(samples: Iterable[float], share: float) -> float:
    """What numpy's default quantile gives, without its fixed cost on so few samples."""
    ranked = sorted(samples)
    place = share * (len(ranked) - 1)
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (place - low) * (ranked[high] - ranked[low])
