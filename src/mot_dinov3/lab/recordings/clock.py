"""A clock that only recorded work advances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class CostTable:
    """What work cost on the machine that made a recording.

    Attributes:
        embed_ms: crops in a batch -> median milliseconds; empty where nothing embeds.
        stages_ms: stage name -> median milliseconds a frame, of everything but embedding.
    """

    embed_ms: Mapping[int, float] = field(default_factory=dict)
    stages_ms: Mapping[str, float] = field(default_factory=dict)

    def batch_ms(self, n: int) -> float:
        """Milliseconds of a batch of `n` crops, in whole microseconds.

        Between measured sizes it is interpolated; beyond the largest one it grows as between
        the two largest, or in proportion where only one is known.
        """
        sizes = sorted(self.embed_ms)
        if n <= 0 or not sizes:
            return 0.0
        costs = [self.embed_ms[size] for size in sizes]
        if n > sizes[-1]:
            before, cost_before = (sizes[-2], costs[-2]) if len(sizes) > 1 else (0, 0.0)
            slope = max(0.0, (costs[-1] - cost_before) / (sizes[-1] - before))
            return round(costs[-1] + slope * (n - sizes[-1]), 3)
        return round(float(np.interp(n, sizes, costs)), 3)

    @property
    def fixed_ms(self) -> float:
        """Milliseconds of a frame in which nothing is embedded, cheap evidence left out."""
        return round(sum(self.stages_ms.values()) - self.cheap_ms, 3)

    @property
    def cheap_ms(self) -> float:
        """Milliseconds of cheap evidence of all detections of a frame."""
        return self.stages_ms.get("cheap", 0.0)


class VirtualClock:
    """A clock that stands still until it is charged with work.

    It counts whole microseconds, so that no rounding depends on what was added before.
    """

    def __init__(self) -> None:
        self._now_us = 0

    def __call__(self) -> float:
        """Seconds since the start."""
        return self._now_us / 1e6

    def advance(self, ms: float) -> None:
        """Let so many milliseconds pass."""
        self._now_us += round(ms * 1000)


class CostMeter:
    """Charges work to a virtual clock by a cost table."""

    def __init__(self, costs: CostTable, clock: VirtualClock) -> None:
        self.costs = costs
        self.clock = clock

    def charge_frame(self) -> None:
        """Charge for reading a frame and detecting in it."""
        for stage in ("read", "detect"):
            self.clock.advance(self.costs.stages_ms.get(stage, 0.0))

    def charge_batch(self, n: int) -> None:
        """Charge for embedding one batch of `n` crops."""
        self.clock.advance(self.costs.batch_ms(n))
