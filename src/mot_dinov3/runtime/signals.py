"""Ctrl-C, SIGTERM and a viewer's wish to stop, which the loop reads between frames."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

from mot_dinov3.errors import EXIT_SIGINT, EXIT_SIGTERM


def choose_exit_code(number: int) -> int:
    """The exit code of a run that a signal ended: 130 after SIGINT, 143 after any other one."""
    return EXIT_SIGINT if number == signal.SIGINT else EXIT_SIGTERM


class StopRequest:
    """A flag that the loop reads between frames, and a live source while it waits.

    It holds plain attributes and no lock: a signal handler may interrupt the very thread that
    holds the lock, and would wait for it forever.

    Attributes:
        signal: SIGINT or SIGTERM once it came, 0 before.
        asked: `ask` was called.
    """

    def __init__(self) -> None:
        self.signal = 0
        self.asked = False

    def ask(self) -> None:
        """Request the end of the run, from any thread."""
        self.asked = True

    def wanted(self) -> bool:
        """Whether the run is to end."""
        return self.asked or self.signal != 0

    @contextmanager
    def handle_signals(self) -> Iterator[Self]:
        """Inside, a signal sets the flag; a second SIGINT raises KeyboardInterrupt at once."""
        previous = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                previous[number] = signal.signal(number, self._on_signal)
            except ValueError:  # not the main thread: the host program handles signals
                break
        try:
            yield self
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.signal == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
