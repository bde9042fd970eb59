"""When the frames of the caller's own were taken, and what time is left between them."""

from __future__ import annotations

import math
from time import perf_counter, thread_time

from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.pictures import name_kind


class FrameClock:
    """The times of frames: of a frame rate, or as they are given.

    Args:
        fps: frames a second, 0 where every frame comes with its time.

    Attributes:
        frames: how many frames were counted.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._last_s = -math.inf
        self.frames = 0

    def read(self, time_s: float | None) -> float:
        """Seconds of the next frame, which `count` counts once it is tracked.

        Args:
            time_s: when it was taken, None where the frame rate says so.

        Raises:
            UsageError: neither says when, or both, or the frame is not after the last one.
        """
        if time_s is None and not self._fps:
            raise UsageError(
                "This tracker was not told when the picture was taken.",
                fix="Give Tracker(fps=25), or time_s= in seconds with every picture.",
            )
        if time_s is not None and self._fps:
            raise UsageError(
                f"time_s={time_s:g} and fps={self._fps:g} both say when a picture was taken.",
                fix="Keep one of them: Tracker(fps=...) or time_s= with every picture.",
            )
        try:
            now_s = self.frames / self._fps if time_s is None else float(time_s)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"time_s= is {name_kind(time_s)}, not a number.",
                fix="Give seconds, such as time.monotonic().",
            ) from error
        if not math.isfinite(now_s):
            raise UsageError(f"time_s={now_s} is not a time.", fix="Give seconds.")
        if now_s <= self._last_s:
            raise UsageError(
                f"time_s={now_s:g} is not after the picture before, {self._last_s:g}.",
                fix="Give pictures in order of time; for another video, call reset() first.",
            )
        return now_s

    def count(self, time_s: float) -> None:
        """Count a frame that was tracked, and its time in seconds."""
        self._last_s = time_s
        self.frames += 1


class WorkMeter:
    """Measures what the caller does between two frames, for a budget that follows a frame rate.

    A wait for a camera is not work: only the time in which the thread computes counts.
    """

    def __init__(self) -> None:
        self._ended: tuple[float, float] | None = None
        self._started_s = 0.0
        self._between_ms = 0.0

    def start(self) -> None:
        """A frame begins."""
        self._started_s = perf_counter()
        if self._ended is not None:
            wall_s, busy_s = self._ended
            self._between_ms = min(self._started_s - wall_s, thread_time() - busy_s) * 1000

    def stop(self, embed_ms: float) -> float:
        """A frame ends; returns the milliseconds of all work since the last one but embedding."""
        self._ended = perf_counter(), thread_time()
        return self._between_ms + (self._ended[0] - self._started_s) * 1000 - embed_ms
