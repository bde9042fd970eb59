"""The loop of a batch: tasks to whoever is free, until all are done or a signal comes."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from mot_dinov3.errors import (
    EXIT_INPUT,
    EXIT_OK,
    EXIT_PARTIAL,
    EXIT_SIGINT,
    EXIT_SIGTERM,
)
from mot_dinov3.runs.batch.base import Crew, Event, Hear, Outcome
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runtime.signals import StopRequest


def run_batch(tasks: Sequence[Task], crew: Crew, hear: Hear) -> list[Outcome]:
    """Track every video; whatever becomes of one, the others are tracked too.

    After a signal, or a problem that every video would have, no further task begins, and those
    that run come to an early and orderly end. A second SIGINT cuts them off.

    Args:
        tasks: what to do.
        crew: who does it; not yet entered.
        hear: told of everything that happens.

    Returns:
        One outcome a task, in their order; those never begun say so.
    """
    stop = StopRequest()
    batch = _Batch(tasks, stop, hear)
    try:
        # Listening twice, as a crew may have put handlers of its own in their place.
        with stop.listening(), crew, stop.listening():
            batch.run(crew)
    except KeyboardInterrupt:
        stop.signal = signal.SIGINT
    return batch.outcomes()


class _Batch:
    """What waits, what runs, and what came of the rest."""

    def __init__(self, tasks: Sequence[Task], stop: StopRequest, hear: Hear) -> None:
        self._tasks, self._stop, self._hear = tasks, stop, hear
        self._waiting = deque(tasks)
        self._running: dict[str, Task] = {}
        self._done: dict[str, Outcome] = {}
        self._halted = ""

    def run(self, crew: Crew) -> None:
        """Work until nothing is left that may be done."""
        told = False
        while self._running or self._waiting:
            if self._stop.signal and not self._halted:
                self._halted = "stopped before its turn"
            if self._halted:
                self._waiting.clear()
                if not told:
                    crew.stop()
                    told = True
            while self._waiting and crew.free > 0:
                task = self._waiting.popleft()
                self._running[task.name] = task
                crew.begin(task)
            crew.work(self._listen)

    def _listen(self, event: Event) -> None:
        if isinstance(event, Outcome):
            event = self._settled(event)
            self._running.pop(event.name)
            self._done[event.name] = event
        self._hear(event)

    def _settled(self, outcome: Outcome) -> Outcome:
        if outcome.stopped:
            # The job heard it first, or was told by SIGTERM what the user said by SIGINT.
            self._stop.signal = self._stop.signal or outcome.exit_code - 128
            return replace(outcome, exit_code=128 + self._stop.signal)
        if outcome.common and not self._halted:
            self._halted = "not begun: every video would fail for the same reason"
        return outcome

    def outcomes(self) -> list[Outcome]:
        """One a task, in their order."""
        code = 128 + self._stop.signal if self._stop.signal else EXIT_OK
        for task in self._tasks:
            if task.name in self._running:
                self._done[task.name] = Outcome(task.name, task.source, code, "cut off")
            elif task.name not in self._done:
                self._done[task.name] = Outcome(
                    task.name, task.source, code, self._halted or "not begun", begun=False
                )
        return [self._done[task.name] for task in self._tasks]


def exit_code_of(outcomes: Sequence[Outcome]) -> int:
    """The exit code of a batch.

    130 or 143 after a signal; the code of a problem that all videos would have; 0 if all is well;
    4 if some came through; else the code that all share, or 3.
    """
    codes = {outcome.exit_code for outcome in outcomes if outcome.begun}
    for number in (EXIT_SIGINT, EXIT_SIGTERM):
        if any(outcome.exit_code == number for outcome in outcomes):
            return number
    common = [outcome.exit_code for outcome in outcomes if outcome.common]
    if common:
        return common[0]
    if codes <= {EXIT_OK}:
        return EXIT_OK
    if any(outcome.tracked for outcome in outcomes):
        return EXIT_PARTIAL
    return codes.pop() if len(codes) == 1 else EXIT_INPUT
