"""Ctrl-C and SIGTERM inside of a library: Python hears a signal only when the library returns.

A network may take for ever to answer: the file of a model can hold a loop. A thread learns of
every signal at once (`signal.set_wakeup_fd`), and ends the work that goes on regardless.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep

from mot_dinov3.errors import MotError
from mot_dinov3.runtime.signals import choose_exit_code
from mot_dinov3.runtime.threads import WaitableThread
from mot_dinov3.wording import make_printable

CANCEL_S = 1.0
"""Seconds after a signal in which the work may still end by itself."""
END_S = 2.0
"""Seconds after a signal when the process ends, where the work has never ended before."""
END_LATER_S = 8.0
"""The same where it has: a slow answer may be on its way, and outputs wait to be finished."""
STEP_S = 0.05
OTHER_MODEL = "Choose another model."
SIGNALS = (signal.SIGINT, signal.SIGTERM)

_running: dict[int, tuple[LongWork, int]] = {}
"""Thread -> the work that it is in, and how often that was begun."""


class CancelledError(MotError):
    """Work that was ended because a signal came and it did not end by itself."""


class LongWork:
    """Calls of a library that may never return; a context manager around each of them.

    Attributes:
        signal: the number of the signal for which the work was cancelled, 0 if it was not.
    """

    def __init__(
        self, name: str, cancel: Callable[[], None] | None = None, fix: str = OTHER_MODEL
    ) -> None:
        """Name the work.

        Args:
            name: what is waited for, for messages.
            cancel: makes the call return soon, from another thread; None where nothing can.
            fix: what helps where it never returns.
        """
        self.name, self.fix = make_printable(name), fix
        self.signal = 0
        self._cancel = cancel
        self._begun = self._ended = 0

    def __enter__(self) -> None:
        self._begun += 1
        _running[threading.get_ident()] = (self, self._begun)

    def __exit__(self, *problem: object) -> None:
        _running.pop(threading.get_ident(), None)
        self._ended += 1

    @property
    def has_ended_before(self) -> bool:
        """Whether a call has ever returned."""
        return self._ended > 0

    def cancel(self, number: int) -> None:
        """Make the call return because of a signal, if that is possible."""
        self.signal = number
        if self._cancel is not None:
            self._cancel()

    def explain(self) -> CancelledError:
        """The error for a call that was cancelled; the next call begins afresh."""
        number, self.signal = self.signal, 0
        error = CancelledError(
            f"Interrupted: '{self.name}' did not answer in {CANCEL_S:g} s.",
            fix=f"If it never does: {self.fix}",
        )
        error.exit_code = choose_exit_code(number)
        return error


@contextmanager
def watch_signals() -> Iterator[None]:
    """Inside, a signal ends `LongWork` that does not end by itself.

    Only the main thread can have it so, and only where nothing else in the process watches.
    """
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    try:
        before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    except ValueError:  # not the main thread
        before = -2
    if before >= 0:
        signal.set_wakeup_fd(before)
    if before != -1:
        ours.close()
        theirs.close()
        yield
        return
    thread = WaitableThread(lambda: _watch(ours), "signal-watch")
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        theirs.close()
        thread.wait(STEP_S)


def _watch(ours: socket.socket) -> None:
    with ours:
        while numbers := ours.recv(64):
            for number in numbers:
                if number in SIGNALS and (stuck := dict(_running)):
                    _end(stuck, number)


def _end(stuck: dict[int, tuple[LongWork, int]], number: int) -> None:
    """Cancel the calls that a signal found running and that go on; end the process at last."""
    began_s = monotonic()
    cancelled: set[int] = set()
    while stuck := {thread: call for thread, call in stuck.items() if _running.get(thread) == call}:
        waited_s = monotonic() - began_s
        for thread, (work, _) in stuck.items():
            if waited_s >= CANCEL_S and thread not in cancelled:
                cancelled.add(thread)
                work.cancel(number)
            if waited_s >= (END_LATER_S if work.has_ended_before else END_S):
                _end_process(work, number)
        sleep(STEP_S)


def _end_process(work: LongWork, number: int) -> None:
    """End without any cleaning up: the main thread is not to be had for it."""
    line = f"error: Interrupted: '{work.name}' does not answer.\n  {work.fix}\n"
    with suppress(OSError):
        os.write(2, line.encode("utf-8", "replace"))
    os._exit(choose_exit_code(number))
