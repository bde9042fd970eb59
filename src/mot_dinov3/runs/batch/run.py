"""The loop of a batch: hands tasks to free workers until all are done or a signal comes."""

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
from mot_dinov3.runs.batch.base import Event, OnEvent, TaskOutcome, WorkerPool
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runtime.signals import StopRequest


def run_batch(tasks: Sequence[Task], pool: WorkerPool, on_event: OnEvent) -> list[TaskOutcome]:
    """Track every video; if one fails, the others are tracked all the same.

    After a signal, or a problem that every video would have, no further task begins, and those
    that run come to an early and orderly end. A second SIGINT cuts them off.

    Args:
        tasks: one for each video.
        pool: does the tasks; not entered yet.
        on_event: is called with everything that happens.

    Returns:
        One outcome for each task, in their order, also for those that were never begun.
    """
    stop = StopRequest()
    batch = _Batch(tasks, stop, on_event)
    try:
        # Handled twice, as the pool may have replaced the handlers by its own.
        with stop.handle_signals(), pool, stop.handle_signals():
            batch.run(pool)
    except KeyboardInterrupt:
        stop.signal = signal.SIGINT
    return batch.outcomes()


class _Batch:
    """The tasks that wait, those that run, and the outcomes of the others."""

    def __init__(self, tasks: Sequence[Task], stop: StopRequest, on_event: OnEvent) -> None:
        self._tasks, self._stop, self._on_event = tasks, stop, on_event
        self._waiting = deque(tasks)
        self._running: dict[str, Task] = {}
        self._done: dict[str, TaskOutcome] = {}
        self._halted = ""

    def run(self, pool: WorkerPool) -> None:
        """Work until no task is left that may be done."""
        stop_sent = False
        while self._running or self._waiting:
            if self._stop.signal and not self._halted:
                self._halted = "stopped before its turn"
            if self._halted:
                self._waiting.clear()
                if not stop_sent:
                    pool.stop()
                    stop_sent = True
            while self._waiting and pool.free > 0:
                task = self._waiting.popleft()
                self._running[task.name] = task
                pool.begin(task)
            pool.work(self._handle)

    def _handle(self, event: Event) -> None:
        if isinstance(event, TaskOutcome):
            event = self._check_outcome(event)
            self._running.pop(event.name)
            self._done[event.name] = event
        self._on_event(event)

    def _check_outcome(self, outcome: TaskOutcome) -> TaskOutcome:
        if outcome.stopped:
            # The job got the signal first, or it got SIGTERM from us where the user sent SIGINT.
            self._stop.signal = self._stop.signal or outcome.exit_code - 128
            return replace(outcome, exit_code=128 + self._stop.signal)
        if outcome.common and not self._halted:
            self._halted = "not begun: every video would fail for the same reason"
        return outcome

    def outcomes(self) -> list[TaskOutcome]:
        """One outcome for each task, in their order."""
        code = 128 + self._stop.signal if self._stop.signal else EXIT_OK
        for task in self._tasks:
            if task.name in self._running:
                self._done[task.name] = TaskOutcome(task.name, task.source, code, "cut off")
            elif task.name not in self._done:
                self._done[task.name] = TaskOutcome(
                    task.name, task.source, code, self._halted or "not begun", begun=False
                )
        return [self._done[task.name] for task in self._tasks]


def choose_exit_code(outcomes: Sequence[TaskOutcome]) -> int:
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
