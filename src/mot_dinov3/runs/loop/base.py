"""What the loop runs, how it is asked to, and what it hands back."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, EXIT_SIGINT, EXIT_SIGTERM, MotError
from mot_dinov3.runtime.signals import StopRequest
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import Frame, FrameResult


class VideoTracker(Protocol):
    """One door for every system."""

    def warm_up(self, frame: Frame) -> None:
        """Pay for first calls on a frame that will be tracked afterwards."""

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame; frames come in order of time."""

    def pace(self, other_ms: float) -> None:
        """Hear what a frame takes beside embedding, before the next one."""


class FrameSink(Protocol):
    """Takes frames and results in order; books its own stages in the timer it was given.

    It is entered and left in the caller's thread and may be written in another one, while the
    next frame is tracked: it must leave the frame's pixels as they are.
    """

    def __enter__(self) -> Self:
        """Open the output."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the output."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Keep one frame's result."""


OnFrame = Callable[[FrameResult, RunStatistics], None]
"""Told of every finished frame, in order, in the caller's thread."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How the loop runs.

    Attributes:
        live: the source is read as it happens; it is never read ahead, for frames would wait.
        overlap: read ahead and write behind, in threads, while frames are tracked.
        stop: ends the run after the frame at hand; a source that waits should know it too.
    """

    live: bool = False
    overlap: bool = False
    stop: StopRequest = field(default_factory=StopRequest, compare=False)


@dataclass(slots=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        statistics: what was measured.
        wall_s: seconds from the first frame's reading to the last one's writing, but for
            warming up.
        busy_s: thread -> seconds in which it did not wait for another one or for a camera.
        stopped_by: the signal that ended the run early, 0 for none.
        asked: somebody who watched it asked for its end.
        warm_up_s: seconds spent before the first frame counted.
        frame_size: (width, height) of the first frame.
        error: the problem that ended the run early, None for none; what came before is kept.
    """

    statistics: RunStatistics = field(default_factory=RunStatistics)
    wall_s: float = 0.0
    busy_s: dict[str, float] = field(default_factory=dict)
    stopped_by: int = 0
    asked: bool = False
    warm_up_s: float = 0.0
    frame_size: tuple[int, int] = (0, 0)
    error: MotError | None = None

    def exit_code(self, *, partial: bool) -> int:
        """0, 4 for a damaged input, 130 or 143 after a signal, else the error's own."""
        if self.error is not None:
            return self.error.exit_code
        if self.stopped_by:
            return EXIT_SIGINT if self.stopped_by == signal.SIGINT else EXIT_SIGTERM
        return EXIT_PARTIAL if partial else EXIT_OK
