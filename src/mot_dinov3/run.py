"""The loop: reader -> step -> sinks, with the clock running and signals heard.

It knows protocols only: any tracker with `step` and any sink with `write` runs here.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from time import perf_counter, thread_time
from types import FrameType, TracebackType
from typing import Protocol, Self

from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, EXIT_SIGINT, EXIT_SIGTERM, MotError
from mot_dinov3.statistics import RunStatistics
from mot_dinov3.structures import Frame, FrameResult
from mot_dinov3.timing import StageTimer


class VideoTracker(Protocol):
    """One door for every system."""

    def warm_up(self, frame: Frame) -> None:
        """Pay for first calls on a frame that will be tracked afterwards."""

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame; frames come in order of time."""

    def pace(self, other_ms: float) -> None:
        """Hear what the frame took in all stages, but for embedding, before the next one."""


class FrameSink(Protocol):
    """Takes frames and results in order; books its own stages in the timer it was given."""

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


@dataclass(slots=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        statistics: what was measured.
        wall_s: seconds from the first frame's reading to the last one's writing.
        stopped_by: the signal that ended the run early, 0 for none.
        warm_up_s: seconds spent before the first frame counted.
        frame_size: (width, height) of the first frame.
        error: the problem that ended the run early, None for none; what came before is kept.
    """

    statistics: RunStatistics = field(default_factory=RunStatistics)
    wall_s: float = 0.0
    stopped_by: int = 0
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


class StopRequest:
    """Turns SIGINT and SIGTERM into a flag that the loop reads between frames."""

    def __init__(self) -> None:
        self.signal = 0

    @contextmanager
    def listening(self) -> Iterator[Self]:
        """Hear signals inside; a second SIGINT interrupts at once, as usual."""
        previous = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                previous[number] = signal.signal(number, self._hear)
            except ValueError:  # not the main thread: the host program owns the signals
                break
        try:
            yield self
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.signal == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number


OnFrame = Callable[[FrameResult, RunStatistics], None]


def run(
    frames: Iterable[Frame],
    tracker: VideoTracker,
    sinks: Sequence[FrameSink],
    timer: StageTimer,
    on_frame: OnFrame | None = None,
    *,
    live: bool = False,
) -> RunOutcome:
    """Track every frame and hand the results to the sinks, until the end or a signal.

    Sinks are finished in any case. A `MotError` on the way ends the run and is kept in the
    outcome, so that what was tracked before it can still be summed up.

    Args:
        frames: the source, in order.
        tracker: the system.
        sinks: not yet entered; each books its stages in `timer`.
        timer: shared with the sinks.
        on_frame: called after each frame, for progress.
        live: the source is read as it happens.
    """
    outcome = RunOutcome()
    stop = StopRequest()
    try:
        with stop.listening(), ExitStack() as stack:
            for sink in sinks:
                stack.enter_context(sink)
            for frame, read in timed_reads(frames, live=live):
                if not outcome.statistics.frames:
                    _begin(outcome, tracker, frame)
                started = perf_counter()
                _one_frame(outcome.statistics, frame, read, (tracker, sinks, timer), on_frame)
                outcome.wall_s += perf_counter() - started + sum(read.values()) / 1000
                if stop.signal:
                    break
    except MotError as error:
        outcome.error = error
    outcome.stopped_by = stop.signal
    return outcome


def timed_reads(
    frames: Iterable[Frame], *, live: bool = False
) -> Iterator[tuple[Frame, dict[str, float]]]:
    """Each frame with the milliseconds of its stage "read".

    A live source makes the reader wait for the next picture. That is no work, so it becomes a
    stage of its own, "wait": whatever this thread did not compute.
    """
    iterator = iter(frames)
    while True:
        started, busy = perf_counter(), thread_time()
        frame = next(iterator, None)
        if frame is None:
            return
        stages = {"read": (perf_counter() - started) * 1000}
        if live:
            work_ms = min(stages["read"], (thread_time() - busy) * 1000)
            stages = {"read": work_ms, "wait": stages["read"] - work_ms}
        yield frame, stages


def _begin(outcome: RunOutcome, tracker: VideoTracker, frame: Frame) -> None:
    started = perf_counter()
    tracker.warm_up(frame)
    outcome.warm_up_s = perf_counter() - started
    outcome.frame_size = (frame.width, frame.height)


def _one_frame(
    statistics: RunStatistics,
    frame: Frame,
    read: dict[str, float],
    parts: tuple[VideoTracker, Sequence[FrameSink], StageTimer],
    on_frame: OnFrame | None,
) -> None:
    tracker, sinks, timer = parts
    timer.stage_ms = dict(read)
    result = tracker.step(frame)
    timer.stage_ms |= result.stage_ms
    for sink in sinks:
        sink.write(frame, result)
    statistics.add(result, timer.stage_ms)
    work_ms = sum(ms for stage, ms in timer.stage_ms.items() if stage not in ("wait", "embed"))
    tracker.pace(work_ms)
    if on_frame is not None:
        on_frame(result, statistics)
