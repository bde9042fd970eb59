"""What runs on the machines of a Ray cluster, and how it keeps in touch."""

from __future__ import annotations

import os
from dataclasses import replace
from time import monotonic
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.runs.batch.base import Event, Outcome
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.batch.work import Workshop, log_told

ASK_EVERY_S = 0.5


class Member:
    """An actor: a workshop on some machine of the cluster."""

    def __init__(self, directory: str, level: int) -> None:
        os.chdir(directory)
        self._level = level
        self._workshop = Workshop()

    def version(self) -> str:
        """Of this package, as it is installed here."""
        return __version__

    def do(self, task: Task, board: Any) -> Outcome:  # noqa: ANN401 - Ray has no types
        """Track one video; Ray calls it again, on another actor, when this one dies of it."""
        import ray

        link = BoardLink(board)
        tried = bool(ray.get(board.begin.remote(task.number)))
        with log_told(task, link, self._level):
            return self._workshop.do(replace(task, again=tried), link)


class Board:
    """An actor between the workers and whoever watches: words one way, a stop the other."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._begun: set[int] = set()
        self._stop = False

    def begin(self, number: int) -> bool:
        """Note that a task begins; whether it had begun before."""
        before = number in self._begun
        self._begun.add(number)
        return before

    def post(self, event: Event) -> None:
        """Leave a word."""
        self._events.append(event)

    def take(self) -> list[Event]:
        """The words since the last time."""
        events, self._events = self._events, []
        return events

    def stop(self) -> None:
        """All should end."""
        self._stop = True

    def stopped(self) -> bool:
        """Whether all should end."""
        return self._stop


class BoardLink:
    """A worker's way to the board."""

    def __init__(self, board: Any) -> None:  # noqa: ANN401 - as above
        self._board = board
        self._asked_s = 0.0
        self._stop = False

    def tell(self, event: Event) -> None:
        """Post an event; nobody waits for it."""
        self._board.post.remote(event)

    def stop_asked(self) -> bool:
        """Whether the board says so; asked now and then, as it may be on another machine."""
        now_s = monotonic()
        if not self._stop and now_s - self._asked_s >= ASK_EVERY_S:
            import ray

            self._asked_s = now_s
            try:
                self._stop = bool(ray.get(self._board.stopped.remote(), timeout=ASK_EVERY_S))
            except ray.exceptions.RayError:
                self._stop = False
        return self._stop
