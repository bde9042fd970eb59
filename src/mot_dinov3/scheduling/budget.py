"""Budgets: how much embedding work one frame may still take on."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Protocol

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.runtime.timing import Clock
from mot_dinov3.scheduling.cost_model import RECENT, CostModel, quantile

TRY_AFTER = 9
"""Frames with waiting refreshes and no measurement before one crop is tried anyway."""

TRY_OFTEN = 10
"""Measurements, `TRY_AFTER` frames apart, that say that a crop does not fit, before tries become
rare: a slow start of some seconds looks the same."""

TRY_LAST = 160
"""The most frames between two tries."""

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
        model: learns what batches cost.
    """

    limit_ms: float
    model: CostModel

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
    what is left, and the model says that the batch will rarely take more. While refreshes wait
    that usually fit and do not, the load that was measured fades, so that one is admitted again
    within `TRY_AFTER` frames, whatever slow spell there was. Frames that critical work fills say
    nothing of the load, and nothing fades in them. Where a crop usually does not fit, one is tried
    as soon, for the estimate may be wrong from the start; if `TRY_OFTEN` measurements in a row,
    critical work included, say that it does not, tries become rare. The first batch after frames
    without any is a single crop, as little is known.

    Attributes:
        crop_ms: what a crop cost by itself in each of the recent batches.
    """

    def __init__(self, limit_ms: float, model: CostModel, clock: Clock) -> None:
        self.limit_ms = limit_ms
        self.model = model
        self.clock = clock
        self._started = 0.0
        self._hole_frames = 0
        self._silent_frames = 0
        self._too_dear = 0
        self._since_dear_frames = TRY_AFTER
        self._measured: list[bool] = []
        self.crop_ms: deque[float] = deque(maxlen=RECENT)

    @property
    def left_ms(self) -> float:
        """What the clock leaves of this frame's budget."""
        return self.limit_ms - (self.clock() - self._started) * 1000

    def open(self) -> None:
        """Begin a frame: from now on the clock runs."""
        self._measured.clear()
        self._started = self.clock()

    def fits(self, waiting: int, most: int) -> int:
        """The largest batch whose prediction is within what the clock leaves."""
        left_ms = self.left_ms
        if not self.model.known:
            return 1 if waiting and left_ms > 0 else 0
        for n in range(1 if self.model.stale else min(waiting, most), 0, -1):
            if self.model.predict_ms(n) <= left_ms:
                return n
        if self._hole_frames >= TRY_AFTER and waiting and self.model.usual_ms(1) <= left_ms:
            return 1
        return self._try_one(waiting, left_ms)

    def charge(self, n: int, ms: float) -> None:
        """Learn what a batch cost; the clock has already moved.

        A crop that fits where it usually does not is the first of better times.
        """
        share = self.model.shape_ms(1) / max(self.model.shape_ms(n), 1e-6)
        crop_ms = ms * share if self.model.known else ms / n
        if crop_ms <= self.limit_ms < self.model.usual_ms(1):
            self.model.forget_load()
        self.model.observe(n, ms)
        self.crop_ms.append(crop_ms)
        self._measured.append(crop_ms <= self.limit_ms)

    def close(self, waiting: int, admitted: int) -> None:
        """Count frames in which refreshes waited, by what was learned of costs in them."""
        self._since_dear_frames += 1
        if any(self._measured):
            self._too_dear = 0
        elif self._measured and self._since_dear_frames > TRY_AFTER:
            self._too_dear += 1
            self._since_dear_frames = 0
        self._silent_frames = 0 if self._measured else self._silent_frames + (waiting > 0)
        if admitted:
            self._hole_frames = 0
        elif waiting and self.model.usual_ms(1) <= self.left_ms:
            self._hole_frames += 1
            self.model.fade()

    def pace(self, other_ms: float) -> None:
        """Do nothing: other stages do not matter."""

    def find_dear_crop(self) -> float:
        """What a crop costs, if that is more than a frame may spend, else 0.

        It is the median of the recent batches, known when tries have become rare.
        """
        cost_ms = median(self.crop_ms) if self._too_dear >= TRY_OFTEN else 0.0
        return cost_ms if cost_ms > self.limit_ms else 0.0

    def _try_one(self, waiting: int, left_ms: float) -> int:
        """One crop if it is time for a try and nothing of the budget is spent, else none."""
        wait = TRY_AFTER << min(max(self._too_dear - TRY_OFTEN + 1, 0), 8)
        untouched = left_ms > 0.9 * self.limit_ms
        return int(waiting > 0 and untouched and self._silent_frames >= min(wait, TRY_LAST))


class FrameRateBudget(TimeBudget):
    """A `TimeBudget` that follows the other stages, so that a frame rate is kept.

    Attributes:
        fps: the rate to keep.
        period_ms: what a frame may take in all.
        limit_ms: what the other stages of recent frames leave of it, at least `LEAST_MS`.
        other_ms: what those stages take, a high quantile of the recent frames.
    """

    def __init__(self, fps: float, model: CostModel, clock: Clock) -> None:
        self.fps = fps
        self.period_ms = 1000.0 / fps
        self.other_ms = 0.0
        self._recent: deque[float] = deque(maxlen=PACED_FRAMES)
        super().__init__(self.period_ms, model, clock)

    def pace(self, other_ms: float) -> None:
        """Leave to the next frame what the other stages of the recent ones did not need."""
        self._recent.append(other_ms)
        self.other_ms = quantile(self._recent, PACED_SHARE)
        self._follow()

    def divide(self, cameras: int) -> None:
        """Keep the rate for each of so many cameras, whose frames are tracked in turn."""
        self.period_ms = 1000.0 / (self.fps * cameras)
        self._follow()

    def _follow(self) -> None:
        self.limit_ms = max(LEAST_MS, self.period_ms - self.other_ms)


def create_budget(config: SchedulerConfig, model: CostModel, clock: Clock) -> Budget:
    """Build the budget that the configuration asks for."""
    if config.budget_crops:
        return CropBudget(config.budget_crops, model)
    if config.target_fps:
        return FrameRateBudget(config.target_fps, model, clock)
    if config.budget_ms:
        return TimeBudget(config.budget_ms, model, clock)
    return Unlimited(model)
