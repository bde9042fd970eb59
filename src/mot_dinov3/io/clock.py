"""Presentation times that only go forward, whatever the container says."""

from __future__ import annotations

MOST_PAUSE_S = 3600.0


class FrameClock:
    """Turns timestamps into seconds from the first frame, strictly increasing.

    A single bad timestamp is replaced by one just after its predecessor, and the next good one
    is trusted again. Two in a row mean that the source started counting anew: from there on its
    times are shifted to follow what came before.
    """

    def __init__(self, fps: float) -> None:
        self.step_s = 1.0 / fps
        self.bad = 0
        self._last_s: float | None = None
        self._origin_s = 0.0
        self._stamped = False
        self._was_bad = False

    def tell(self, stamp_s: float | None) -> float:
        """The time of the next frame, in seconds, from what its container says (or None)."""
        if self._last_s is None:
            self._stamped = stamp_s is not None
            self._origin_s = stamp_s or 0.0
            self._last_s = 0.0
            return 0.0
        if stamp_s is None:
            self.bad += self._stamped
            self._last_s += self.step_s
            return self._last_s
        if not self._stamped:
            self._stamped = True
            self._origin_s = stamp_s - self._last_s - self.step_s
        self._last_s = self._repaired(stamp_s, self._last_s)
        return self._last_s

    def _repaired(self, stamp_s: float, last_s: float) -> float:
        time_s = stamp_s - self._origin_s
        if last_s < time_s <= last_s + MOST_PAUSE_S:
            self._was_bad = False
            return time_s
        self.bad += 1
        if self._was_bad:
            self._was_bad = False
            self._origin_s = stamp_s - last_s - self.step_s
            return last_s + self.step_s
        self._was_bad = True
        # Half a step leaves room for the next frame to keep its own time.
        return last_s + self.step_s / 2
