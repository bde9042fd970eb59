"""One task after another in this process."""

from __future__ import annotations

from typing import Self

from mot_dinov3.runs.batch.base import Event, OnEvent
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.batch.work import TaskRunner


class SerialPool:
    """Does a task within `work`; signals reach its job directly."""

    def __init__(self) -> None:
        self._runner = TaskRunner()
        self._task: Task | None = None

    @property
    def free(self) -> int:
        """One at a time."""
        return int(self._task is None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """There are no workers to end."""

    def begin(self, task: Task) -> None:
        """Keep the task for `work`."""
        self._task = task

    def work(self, on_event: OnEvent) -> None:
        """Do the task."""
        task, self._task = self._task, None
        if task is not None:
            on_event(self._runner.run(task, _LocalLink(on_event)))

    def stop(self) -> None:
        """Nothing runs between two tasks."""


class _LocalLink:
    """The link of a task that runs in the thread of the pool."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event

    def send(self, event: Event) -> None:
        """OnEvent it at once."""
        self._on_event(event)

    def stop_requested(self) -> bool:
        """Signals reach the job itself."""
        return False
