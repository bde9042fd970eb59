"""What the loop runs, how it is asked to, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, MotError
from mot_dinov3.runtime.signals import StopRequest, choose_exit_code
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import Frame, FrameResult


class VideoTracker(Protocol):
    """What the loop needs of a `System`, so that a frame log may take its place."""

    def warm_up(self, frame: Frame) -> None:
        """Make the slow first calls, on a frame that is tracked afterwards."""

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame; frames come in order of time."""

    def pace(self, other_ms: float) -> None:
        """Record what a frame takes beside embedding, in milliseconds."""


class FrameSink(Protocol):
    """Takes frames and results in order, and measures its own stages with a shared timer.

    The loop enters and leaves it in the caller's thread, but may call `write` in another thread
    while the next frame is tracked. So it must leave the pixels of the frame as they are.
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
        """Take one frame's result."""


OnFrame = Callable[[FrameResult, RunStatistics], None]
"""A callback for every finished frame, in order, in the caller's thread."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How the loop runs.

    Attributes:
        live: the source is read as it happens; reading ahead would only make frames wait.
        overlap: threads read ahead and write behind while frames are tracked.
        stop: ends the run after the current frame; a source that waits should know it too.
    """

    live: bool = False
    overlap: bool = False
    stop: StopRequest = field(default_factory=StopRequest, compare=False)


@dataclass(slots=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        statistics: what was measured.
        wall_s: seconds from the first frame's reading to the last one's writing, without the
            warm-up.
        busy_s: thread -> seconds in which it did not wait for another thread or a camera.
        stopped_by: the signal that ended the run early, 0 for none.
        stopped_by_viewer: a person who watched the run ended it.
        warm_up_s: seconds before the first frame counted.
        frame_size: (width, height) of the first frame.
        error: the problem that ended the run early, None for none; what came before is kept.
    """

    statistics: RunStatistics = field(default_factory=RunStatistics)
    wall_s: float = 0.0
    busy_s: dict[str, float] = field(default_factory=dict)
    stopped_by: int = 0
    stopped_by_viewer: bool = False
    warm_up_s: float = 0.0
    frame_size: tuple[int, int] = (0, 0)
    error: MotError | None = None

    def exit_code(self, *, partial: bool) -> int:
        """0, 4 for a damaged input, 130 or 143 after a signal, else that of the error.

        Args:
            partial: the input was damaged or cut short.
        """
        if self.error is not None:
            return self.error.exit_code
        if self.stopped_by:
            return choose_exit_code(self.stopped_by)
        return EXIT_PARTIAL if partial else EXIT_OK
