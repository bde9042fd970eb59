"""Budgets: how much embedding work one frame may still take on."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from mot_dinov3.runtime.timing import Clock
from mot_dinov3.scheduling.cost_model import CostModel, quantile

PROBE_AFTER = 60
"""Frames with waiting refreshes and none admitted before one crop is tried anyway."""

PROBE_SOON = 20
"""The same where a crop would fit without the load that was measured last, which may be over."""

PROBE_MOST = 640
"""The same after many fruitless probes: the interval doubles up to here."""

PACED_FRAMES = 30
"""Frames whose other stages say how much of the next one is left for embeddings."""

PACED_SHARE = 0.75
"""Share of those frames that must have been done with their other stages in time."""

LEAST_MS = 0.1
"""A budget that follows the frame rate never falls below this: 0 would mean no limit."""


class Budget(Protocol):
    """What one frame after the other may spend on embeddings.

    Attributes:
        limit_ms: milliseconds a frame may take, 0 where time is not what is counted.
    """

    limit_ms: float

    def open(self) -> None:
        """Begin a frame."""

    def fits(self, waiting: int, most: int) -> int:
        """How many of `waiting` crops, at most `most`, may go into the next batch."""

    def charge(self, n: int, ms: float) -> None:
        """Book a batch of `n` crops that took `ms`."""

    def close(self, waiting: int, admitted: int) -> None:
        """End a frame in which `admitted` refreshes ran and `waiting` did not."""

    def pace(self, other_ms: float) -> None:
        """Take in the milliseconds that the frame took beside embedding."""


class Unlimited:
    """No limit; costs are learned all the same, for the report."""

    limit_ms = 0.0

    def __init__(self, model: CostModel) -> None:
        self.model = model

    def open(self) -> None:
        """Do nothing."""

    def fits(self, waiting: int, most: int) -> int:
        """All that are waiting, at most a batch."""
        return min(waiting, most)

    def charge(self, n: int, ms: float) -> None:
        """Learn what a batch cost."""
        self.model.observe(n, ms)

    def close(self, waiting: int, admitted: int) -> None:
        """Do nothing."""

    def pace(self, other_ms: float) -> None:
        """Do nothing: other stages do not matter."""


class CropBudget:
    """A budget counted in crops: the same input gives the same tracks on every machine."""

    limit_ms = 0.0

    def __init__(self, crops: int, model: CostModel) -> None:
        self.crops = crops
        self.model = model
        self.left = crops

    def open(self) -> None:
        """Begin a frame: all its crops are left."""
        self.left = self.crops

    def fits(self, waiting: int, most: int) -> int:
        """As many as are left, at most a batch."""
        return max(0, min(waiting, most, self.left))

    def charge(self, n: int, ms: float) -> None:
        """Take the crops off what is left; the time is learned for the report only."""
        self.left -= n
        self.model.observe(n, ms)

    def close(self, waiting: int, admitted: int) -> None:
        """Do nothing."""

    def pace(self, other_ms: float) -> None:
        """Do nothing: other stages do not matter."""


class TimeBudget:
    """Milliseconds per frame, read off a clock and spent on predicted costs.

    Every batch is admitted on two conditions: the clock, read after the batch before it, says
    what is left, and the model says that the batch will rarely take more. When nothing fitted
    for a while, a single crop is let through, so that an estimate spoiled by one slow spell can
    recover; such probes become rarer and rarer while they change nothing.
    """

    def __init__(self, limit_ms: float, model: CostModel, clock: Clock) -> None:
        self.limit_ms = limit_ms
        self.model = model
        self.clock = clock
        self._started = 0.0
        self._idle_frames = 0
        self._fruitless = 0
        self._probing = False
        self._probed = False

    @property
    def left_ms(self) -> float:
        """What the clock leaves of this frame's budget."""
        return self.limit_ms - (self.clock() - self._started) * 1000

    def open(self) -> None:
        """Begin a frame: from now on the clock runs."""
        self._probing = self._idle_frames >= self._probe_after
        self._probed = False
        self._started = self.clock()

    def fits(self, waiting: int, most: int) -> int:
        """The largest batch whose prediction is within what the clock leaves."""
        left_ms = self.left_ms
        if not self.model.known:
            return 1 if waiting and left_ms > 0 else 0
        for n in range(min(waiting, most), 0, -1):
            if self.model.predict_ms(n) <= left_ms:
                return n
        return self._probe(waiting, left_ms)

    def charge(self, n: int, ms: float) -> None:
        """Learn what a batch cost; the clock has already moved."""
        self.model.observe(n, ms)

    def close(self, waiting: int, admitted: int) -> None:
        """Count frames in which refreshes waited and none was admitted."""
        if admitted:
            self._idle_frames = 0
            if not self._probed:
                self._fruitless = 0
        elif waiting:
            self._idle_frames += 1

    def pace(self, other_ms: float) -> None:
        """Do nothing: other stages do not matter."""

    @property
    def _probe_after(self) -> int:
        fits_at_rest = self.model.usual_ms(1) <= self.limit_ms
        first = PROBE_SOON if fits_at_rest else PROBE_AFTER
        return min(first << min(self._fruitless, 8), PROBE_MOST)

    def _probe(self, waiting: int, left_ms: float) -> int:
        untouched = left_ms > 0.9 * self.limit_ms
        if not (self._probing and waiting and untouched):
            return 0
        self._probing, self._probed = False, True
        self._fruitless += 1
        self.model.forget_load()
        return 1


class FrameRateBudget(TimeBudget):
    """A `TimeBudget` that follows the other stages, so that a frame rate is kept.

    Attributes:
        period_ms: what a frame may take in all.
        limit_ms: what the other stages of recent frames leave of it, at least `LEAST_MS`.
        other_ms: what those stages take, a high quantile of the recent frames.
    """

    def __init__(self, fps: float, model: CostModel, clock: Clock) -> None:
        self.period_ms = 1000.0 / fps
        self.other_ms = 0.0
        self._recent: deque[float] = deque(maxlen=PACED_FRAMES)
        super().__init__(self.period_ms, model, clock)

    def pace(self, other_ms: float) -> None:
        """Leave to the next frame what the other stages of the recent ones did not need."""
        self._recent.append(other_ms)
        self.other_ms = quantile(self._recent, PACED_SHARE)
        self.limit_ms = max(LEAST_MS, self.period_ms - self.other_ms)
