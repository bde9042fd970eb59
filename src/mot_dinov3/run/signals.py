"""Ctrl-C and SIGTERM as a wish that the loop hears between frames."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self


class StopRequest:
    """Turns SIGINT and SIGTERM into a flag that the loop reads between frames."""

    def __init__(self) -> None:
        self.signal = 0

    @contextmanager
    def listening(self) -> Iterator[Self]:
        """Hear signals inside; a second SIGINT interrupts at once, as usual."""
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
