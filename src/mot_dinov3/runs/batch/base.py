"""What a batch is told, what comes of a task, and who does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, EXIT_SIGINT, EXIT_SIGTERM
from mot_dinov3.runs.batch.tasks import Task


@dataclass(frozen=True, slots=True)
class Begun:
    """A task began, or began again after its worker had died.

    Attributes:
        task: which.
        pid: the process that does it.
    """

    task: Task
    pid: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task is.

    Attributes:
        name: of the task.
        frames: tracked so far.
        total: frames expected, 0 if unknown.
        fps: frames a second so far.
    """

    name: str
    frames: int
    total: int
    fps: float


@dataclass(frozen=True, slots=True)
class Said:
    """A line that a task logged, with its level."""

    name: str
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task.

    Attributes:
        name: of the task.
        source: as messages may show it.
        exit_code: what the job alone would have returned.
        reason: why it is not 0, one sentence.
        fix: what to do about it.
        frames: tracked.
        fps: frames a second.
        tracks: confirmed identities.
        crops: embeddings computed.
        written: the outputs that exist now.
        common: the reason is none of the video's own: every other video would fail alike.
        begun: False for what was never begun.
    """

    name: str
    source: str
    exit_code: int = EXIT_OK
    reason: str = ""
    fix: str = ""
    frames: int = 0
    fps: float = 0.0
    tracks: int = 0
    crops: int = 0
    written: tuple[str, ...] = ()
    common: bool = False
    begun: bool = True

    @property
    def stopped(self) -> bool:
        """Whether a signal ended it."""
        return self.exit_code in (EXIT_SIGINT, EXIT_SIGTERM)

    @property
    def tracked(self) -> bool:
        """Whether it came to its end, if only to that of a damaged input."""
        return self.exit_code in (EXIT_OK, EXIT_PARTIAL)


Event = Begun | Progress | Said | Outcome
Hear = Callable[[Event], None]


class Crew(Protocol):
    """Whoever does the tasks; entered before the first, left after the last.

    An exception ends it at once: running tasks are cut off.
    """

    @property
    def free(self) -> int:
        """How many more tasks may begin now."""

    def __enter__(self) -> Self:
        """Get ready."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send everybody home."""

    def begin(self, task: Task) -> None:
        """Take a task; only while somebody is free."""

    def work(self, hear: Hear) -> None:
        """Go on for a moment and tell what happened; each task ends in one `Outcome`."""

    def stop(self) -> None:
        """Ask for an early and orderly end of what is running."""
