"""What runs on the machines of a Ray cluster, and how it keeps in touch."""

from __future__ import annotations

import os
from dataclasses import replace
from time import monotonic
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.runs.batch.base import Event, TaskOutcome
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.batch.work import TaskRunner, forward_log

ASK_EVERY_S = 0.5


class RayWorker:
    """An actor that runs tasks on some machine of the cluster."""

    def __init__(self, directory: str, level: int) -> None:
        os.chdir(directory)
        self._level = level
        self._runner = TaskRunner()

    def version(self) -> str:
        """Of this package, as it is installed here."""
        return __version__

    def run(self, task: Task, board: Any) -> TaskOutcome:  # noqa: ANN401 - Ray has no types
        """Track one video; Ray calls it again, on another actor, when this one dies of it."""
        import ray

        link = MessageBoardLink(board)
        tried = bool(ray.get(board.begin.remote(task.number)))
        with forward_log(task, link, self._level):
            return self._runner.run(replace(task, again=tried), link)


class MessageBoard:
    """An actor between the workers and the batch: events one way, a stop the other way."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._begun: set[int] = set()
        self._stop = False

    def begin(self, number: int) -> bool:
        """Note that a task begins; True if it had begun before."""
        before = number in self._begun
        self._begun.add(number)
        return before

    def post(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)

    def take(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def stop(self) -> None:
        """Request the end of all tasks."""
        self._stop = True

    def is_stopped(self) -> bool:
        """Whether all tasks should end."""
        return self._stop


class MessageBoardLink:
    """The link of a worker by way of the board."""

    def __init__(self, board: Any) -> None:  # noqa: ANN401 - as above
        self._board = board
        self._asked_s = 0.0
        self._stop = False

    def send(self, event: Event) -> None:
        """Post an event without waiting for it to arrive."""
        self._board.post.remote(event)

    def stop_requested(self) -> bool:
        """Whether the board wants the task to end; asked rarely, as it may be far away."""
        now_s = monotonic()
        if not self._stop and now_s - self._asked_s >= ASK_EVERY_S:
            import ray

            self._asked_s = now_s
            try:
                self._stop = bool(ray.get(self._board.is_stopped.remote(), timeout=ASK_EVERY_S))
            except ray.exceptions.RayError:
                self._stop = False
        return self._stop
