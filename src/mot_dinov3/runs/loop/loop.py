"""The loop: the same code with and without threads, as reading and writing hide theirs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from time import perf_counter, thread_time

from mot_dinov3.errors import MotError, out_of_memory
from mot_dinov3.runs.loop.base import FrameSink, OnFrame, RunOutcome, RunSettings, VideoTracker
from mot_dinov3.runtime.signals import StopRequest
from mot_dinov3.runtime.statistics import WAIT
from mot_dinov3.runtime.threads import ReadAhead, ReadNow, WorkBehind, WorkNow
from mot_dinov3.runtime.timing import Clock, StageTimer
from mot_dinov3.values import Frame, FrameResult

READ, EMBED = "read", "embed"
MAIN, SINKS = "main", "sinks"
LOOP_THREADS = 3
"""Reading, tracking and writing: more processors do not help the loop."""


@dataclass(frozen=True, slots=True)
class ReadFrame:
    """A frame that was read.

    Attributes:
        frame: the frame.
        stage_ms: milliseconds of "read", and of "wait" on a live source.
        began_s: when its reading began, without the wait, on the clock of the reading.
    """

    frame: Frame
    stage_ms: dict[str, float]
    began_s: float


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """A frame between the system and the sinks."""

    read: ReadFrame
    result: FrameResult


@dataclass(frozen=True, slots=True)
class WrittenFrame:
    """A frame that all sinks have taken.

    Attributes:
        result: of the system.
        stage_ms: milliseconds of all its stages.
        latency_ms: from the beginning of its reading until the last sink had taken it, with the
            time in queues.
    """

    result: FrameResult
    stage_ms: dict[str, float]
    latency_ms: float


def run(
    frames: Iterable[Frame],
    tracker: VideoTracker,
    sinks: Sequence[FrameSink],
    timer: StageTimer,
    on_frame: OnFrame | None = None,
    settings: RunSettings | None = None,
) -> RunOutcome:
    """Track every frame and hand the results to the sinks, until the end or a signal.

    Sinks are finished in any case. A `MotError` or a lack of memory ends the run and is kept in
    the outcome, so that what was tracked before can still be summed up. With `settings.overlap`
    reading and the sinks have threads of their own; the results are the same.

    Args:
        frames: the source, in order.
        tracker: the system.
        sinks: not yet entered; each measures its stages with `timer`.
        timer: shared with the sinks.
        on_frame: called after each frame, for progress.
        settings: how the loop runs; in one thread when left out.
    """
    settings = settings or RunSettings()
    loop, stop = _Loop(tracker, sinks, timer, on_frame, settings), settings.stop
    try:
        with stop.handle_signals(), ExitStack() as stack:
            for sink in sinks:
                stack.enter_context(sink)
            loop.run(frames, stop)
    except MotError as error:
        loop.outcome.error = error
    except MemoryError:
        loop.outcome.error = out_of_memory()
    loop.outcome.stopped_by, loop.outcome.stopped_by_viewer = stop.signal, stop.asked
    return loop.outcome


class _Loop:
    """One run: its parts, and its outcome so far."""

    def __init__(
        self,
        tracker: VideoTracker,
        sinks: Sequence[FrameSink],
        timer: StageTimer,
        on_frame: OnFrame | None,
        settings: RunSettings,
    ) -> None:
        self.outcome = RunOutcome()
        self._tracker, self._sinks, self._timer = tracker, sinks, timer
        self._on_frame = on_frame
        self._overlap, self._live = settings.overlap, settings.live
        self._ahead = settings.overlap and not settings.live
        self._processors = min(LOOP_THREADS, os.cpu_count() or 1) if settings.overlap else 1
        self._own_ms = self._all_ms = 0.0

    def run(self, frames: Iterable[Frame], stop: StopRequest) -> None:
        """Read, track and write until the end, a signal or an error."""
        started = self._timer.clock()
        reads = read_timed(frames, self._timer.clock, live=self._live)
        first = next(reads, None)
        if first is None:
            return
        self._warm_up(first.frame)
        # No figure of the run contains the warm-up, so the latency of this frame does not either.
        first = replace(first, began_s=first.began_s + self.outcome.warm_up_s)
        upcoming = ReadAhead(reads) if self._ahead else ReadNow(reads)
        behind = WorkBehind(self._write) if self._overlap else WorkNow(self._write)
        try:
            with behind, upcoming:
                for read in chain((first,), upcoming):
                    behind.put(self._track(read))
                    self._record(behind.take_results())
                    self._tracker.pace(max(self._own_ms, self._all_ms / self._processors))
                    if stop.wanted():
                        break
        finally:
            self._record(behind.take_results())
            self._record_times(self._timer.clock() - started, upcoming.waited_s + behind.waited_s)
            if self._overlap:
                self.outcome.busy_s[SINKS] = behind.busy_s

    def _warm_up(self, frame: Frame) -> None:
        started = self._timer.clock()
        self._tracker.warm_up(frame)
        self.outcome.warm_up_s = self._timer.clock() - started
        self.outcome.frame_size = (frame.width, frame.height)

    def _track(self, read: ReadFrame) -> TrackedFrame:
        result = self._tracker.step(read.frame)
        own = dict(result.stage_ms) if self._ahead else {**read.stage_ms, **result.stage_ms}
        self._own_ms = sum_work(own)
        return TrackedFrame(read, result)

    def _write(self, tracked: TrackedFrame) -> WrittenFrame:
        """Hand a frame to the sinks; the only part that another thread may run."""
        read, result, timer = tracked.read, tracked.result, self._timer
        timer.begin({**read.stage_ms, **result.stage_ms}, read.began_s)
        for sink in self._sinks:
            sink.write(read.frame, result)
        return WrittenFrame(result, timer.stage_ms, timer.latency_ms)

    def _record(self, finished: Iterator[WrittenFrame]) -> None:
        statistics = self.outcome.statistics
        for written in finished:
            statistics.add(written.result, written.stage_ms, written.latency_ms)
            self._all_ms = sum_work(written.stage_ms)
            if self._on_frame is not None:
                self._on_frame(written.result, statistics)

    def _record_times(self, elapsed_s: float, waited_s: float) -> None:
        outcome, statistics = self.outcome, self.outcome.statistics
        outcome.wall_s = elapsed_s - outcome.warm_up_s
        camera_s = statistics.total_ms(WAIT) / 1000
        outcome.busy_s[MAIN] = max(0.0, outcome.wall_s - waited_s - camera_s)
        if self._ahead:
            outcome.busy_s[READ] = statistics.total_ms(READ) / 1000


def sum_work(stage_ms: Mapping[str, float]) -> float:
    """Milliseconds of a frame beside embedding and the wait for a camera."""
    return sum(ms for stage, ms in stage_ms.items() if stage not in (WAIT, EMBED))


def read_timed(
    frames: Iterable[Frame], clock: Clock = perf_counter, *, live: bool = False
) -> Iterator[ReadFrame]:
    """Read frames and measure the milliseconds of the stage "read".

    A live source makes the reader wait for the next picture. That is not work, so it becomes a
    stage of its own, "wait": the time in which this thread computed nothing.

    Args:
        frames: the source.
        clock: in seconds.
        live: the source makes the reader wait.
    """
    iterator = iter(frames)
    while True:
        started, busy = clock(), thread_time()
        frame = next(iterator, None)
        if frame is None:
            return
        ended = clock()
        work_s = ended - started
        if live:
            work_s = min(work_s, thread_time() - busy)
        stages = {READ: work_s * 1000}
        if live:
            stages[WAIT] = (ended - started - work_s) * 1000
        yield ReadFrame(frame, stages, ended - work_s)
