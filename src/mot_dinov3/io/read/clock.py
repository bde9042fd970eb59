"""Presentation times that only go forward, whatever the container says."""

from __future__ import annotations

MOST_PAUSE_S = 3600.0

MOST_LEAD_S = 12.0
"""A live source may hand over so much at once: the length of a long segment of a playlist."""
MOST_LATE_S = 1.0
"""A picture that comes so much later than its stamp says follows a gap."""
BURST_S = 2.0
"""How soon after a gap that was none, a stall of the network, the pictures held up must come."""
LEAST_STEP_S = 1e-3
"""Two live pictures are at least so far apart, however fast they come."""


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

    def convert(self, stamp_s: float | None) -> float:
        """Turn the container's time of the next frame, if it has one, into seconds from the first.

        Args:
            stamp_s: what the container says, in seconds; None where it says nothing.
        """
        if self._last_s is None:
            self._stamped = stamp_s is not None
            self._origin_s = stamp_s or 0.0
            self._last_s = 0.0
            return 0.0
        if stamp_s is None:
            self._last_s += self.step_s
            return self._last_s
        if not self._stamped:
            self._stamped = True
            self._origin_s = stamp_s - self._last_s - self.step_s
        self._last_s = self._repair(stamp_s, self._last_s)
        return self._last_s

    def _repair(self, stamp_s: float, last_s: float) -> float:
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


class LiveClock:
    """Times of a live source: its own steps while they make sense, else what passed here.

    Within a connection a source knows best when its pictures were taken; the network hands them
    over as it can. Over a gap, where a source has no times or counts anew, the monotonic clock
    of this machine measures how long it took. If a gap turns out to have been a stall, because its
    pictures come in a burst, they share the time that was given to it.

    Attributes:
        most_late_s: delay from which on a picture follows a gap; more where they come in segments.
    """

    def __init__(self) -> None:
        self.most_late_s = MOST_LATE_S
        self._time_s = 0.0
        self._stamp_s: float | None = None
        self._arrived_s: float | None = None
        self._given_s = self._given_until_s = 0.0

    def mark_gap(self) -> None:
        """Note that the connection was lost: the stamps of the next one begin anew."""
        self._stamp_s = None

    def convert(self, stamp_s: float | None, arrived_s: float, waited_s: float = 0.0) -> float:
        """Turn the times of the next picture into seconds from the first one, strictly increasing.

        Args:
            stamp_s: what the source says, None where it says nothing.
            arrived_s: when it came, on the monotonic clock.
            waited_s: how long the source was kept waiting before, which makes no picture late.
        """
        if self._arrived_s is not None:
            passed_s = arrived_s - self._arrived_s
            self._time_s += max(LEAST_STEP_S, self._step_s(stamp_s, passed_s, waited_s))
        self._stamp_s, self._arrived_s = stamp_s, arrived_s
        return self._time_s

    def _step_s(self, stamp_s: float | None, passed_s: float, waited_s: float) -> float:
        if stamp_s is None or self._stamp_s is None or self._arrived_s is None:
            return passed_s
        step_s, arrived_s = stamp_s - self._stamp_s, self._arrived_s + passed_s
        late_s = passed_s - step_s
        if step_s <= 0 or late_s < -MOST_LEAD_S:
            return passed_s
        if late_s - waited_s > self.most_late_s:
            self._given_s, self._given_until_s = late_s, arrived_s + BURST_S
            return passed_s
        if late_s < 0 and self._given_s > 0 and arrived_s <= self._given_until_s:
            taken_s = min(self._given_s, -late_s)
            self._given_s -= taken_s
            return step_s - taken_s
        return step_s
