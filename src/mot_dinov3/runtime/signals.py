"""Ctrl-C, SIGTERM and anybody else's wish to stop, which the loop hears between frames."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self


class StopRequest:
    """A flag that the loop reads between frames, and whoever waits for a frame as well.

    Plain attributes: a lock that a signal handler wants may be held by whom it interrupted.

    Attributes:
        signal: which of SIGINT and SIGTERM came, 0 for none.
        asked: somebody who watches the run asked for its end, from whatever thread.
    """

    def __init__(self) -> None:
        self.signal = 0
        self.asked = False

    def ask(self) -> None:
        """Wish for the end of the run."""
        self.asked = True

    def wanted(self) -> bool:
        """Whether the run is to end."""
        return self.asked or self.signal != 0

    @contextmanager
    def listening(self) -> Iterator[Self]:
        """Turn signals into wishes inside; a second SIGINT interrupts at once, as usual."""
        previous = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                previous[number] = signal.signal(number, self._hear)
            except ValueError:  # not the main thread: the host program owns the signals
                break
        try:
            yield self
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.signal == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
