"""The events of a batch, the outcome of a task, and the pool of workers that does the tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, EXIT_SIGINT, EXIT_SIGTERM
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.values.run_facts import RunFacts


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A task began, or began again after its worker had died.

    Attributes:
        task: the task.
        pid: id of the process that does it.
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
class LogLine:
    """A line that a task logged.

    Attributes:
        name: of the task.
        level: of the line, as in `logging`.
        text: the line.
    """

    name: str
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What came of a task.

    Attributes:
        name: of the task.
        source: as messages may show it.
        exit_code: what the job alone would have returned.
        reason: why the exit code is not 0, one sentence.
        fix: what to do about it.
        frames: tracked frames.
        fps: frames a second.
        tracks: confirmed tracks.
        crops: computed embeddings.
        identities: class name -> confirmed tracks.
        lines: what was counted at every line, as `--stats-json` has it.
        zones: the same of every zone.
        written: the outputs that exist now.
        common: every other video would fail for the same reason.
        begun: False for a task that was never begun.
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
    identities: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, Any] = field(default_factory=dict)
    zones: Mapping[str, Any] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    common: bool = False
    begun: bool = True

    @property
    def stopped(self) -> bool:
        """Whether a signal ended it."""
        return self.exit_code in (EXIT_SIGINT, EXIT_SIGTERM)

    @property
    def tracked(self) -> bool:
        """Whether it came to its end, be it that of a damaged input."""
        return self.exit_code in (EXIT_OK, EXIT_PARTIAL)


@dataclass(frozen=True, slots=True)
class CameraState:
    """How a live source goes on beside others.

    Attributes:
        name: of the task.
        frames: tracked so far.
        fps: frames a second of late.
        tracks: in view.
        computed: embeddings of the latest frame.
        embed_ms: milliseconds that they took.
        budget_ms: what they might take, loans of other cameras included; 0 for no limit.
        backlog: embeddings that wait.
        dropped: frames that were not taken in time.
        condition: of the connection: "connected", or what it waits for.
    """

    name: str
    frames: int
    fps: float
    tracks: int
    computed: int
    embed_ms: float
    budget_ms: float
    backlog: int
    dropped: int
    condition: str


@dataclass(frozen=True, slots=True)
class CameraSummary:
    """The facts of a live source that has ended.

    Attributes:
        name: of the task.
        facts: of its run.
    """

    name: str
    facts: RunFacts


@dataclass(frozen=True, slots=True)
class PageOpened:
    """The batch is shown on a web page.

    Attributes:
        url: its address, which holds a secret.
    """

    url: str


Event = TaskStarted | Progress | LogLine | TaskOutcome | CameraState | CameraSummary | PageOpened
OnEvent = Callable[[Event], None]
"""A callback for everything that happens."""


class WorkerPool(Protocol):
    """Does the tasks; entered before the first one, left after the last one.

    An exception in its context ends it at once: running tasks are cut off.
    """

    @property
    def free(self) -> int:
        """How many more tasks may begin now."""

    def __enter__(self) -> Self:
        """Prepare for tasks."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all workers."""

    def begin(self, task: Task) -> None:
        """Take a task; only while `free` is above 0."""

    def work(self, on_event: OnEvent) -> None:
        """Go on for a moment and report what happened; each task ends in one `TaskOutcome`."""

    def stop(self) -> None:
        """Request an early and orderly end of the running tasks."""
