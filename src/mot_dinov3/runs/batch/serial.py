"""One task after another in this process."""

from __future__ import annotations

from typing import Self

from mot_dinov3.runs.batch.base import Event, Hear
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.batch.work import Workshop


class SerialCrew:
    """Does a task when asked to go on; signals reach its job directly."""

    def __init__(self) -> None:
        self._workshop = Workshop()
        self._task: Task | None = None

    @property
    def free(self) -> int:
        """One at a time."""
        return int(self._task is None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nobody to send home."""

    def begin(self, task: Task) -> None:
        """Keep the task for `work`."""
        self._task = task

    def work(self, hear: Hear) -> None:
        """Do the task."""
        task, self._task = self._task, None
        if task is not None:
            hear(self._workshop.do(task, _Here(hear)))

    def stop(self) -> None:
        """Nothing runs between two tasks."""


class _Here:
    """A link to the same thread."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    def tell(self, event: Event) -> None:
        """Hear it at once."""
        self._hear(event)

    def stop_asked(self) -> bool:
        """Signals reach the job itself."""
        return False
