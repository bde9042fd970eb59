"""Stage timers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

Clock = Callable[[], float]
"""Returns seconds; a device's clock waits for the device's work first."""

SMOOTHING = 0.9
"""Weight of the past in the speed that is shown."""


class StageTimer:
    """Milliseconds per named stage of one frame: `with timer("detect"): ...`.

    Attributes:
        stage_ms: stage -> milliseconds of the present frame.
        fps: frames a second of the last few, 0 before there are two.
    """

    def __init__(self, clock: Clock = perf_counter) -> None:
        self.clock = clock
        self.stage_ms: dict[str, float] = {}
        self.fps = 0.0
        self._began_s = clock()
        self._last_s: float | None = None

    def begin(self, stage_ms: Mapping[str, float], began_s: float) -> None:
        """Go on with a frame that began at `began_s` of the clock and has these stages so far."""
        self.stage_ms = dict(stage_ms)
        self._began_s = began_s
        now_s = self.clock()
        if self._last_s is not None and now_s > self._last_s:
            frame_s = now_s - self._last_s
            past_s = 1 / self.fps if self.fps else frame_s
            self.fps = 1 / (SMOOTHING * past_s + (1 - SMOOTHING) * frame_s)
        self._last_s = now_s

    @property
    def latency_ms(self) -> float:
        """Milliseconds since the frame began, time in queues included."""
        return (self.clock() - self._began_s) * 1000

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to `stage`, also when it ends in an exception."""
        started = self.clock()
        try:
            yield
        finally:
            self.add(stage, (self.clock() - started) * 1000)

    def add(self, stage: str, ms: float) -> None:
        """Add milliseconds measured elsewhere to `stage`."""
        self.stage_ms[stage] = self.stage_ms.get(stage, 0.0) + ms
