"""The loop: one form for both ways, as reading and writing are lanes that may have threads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain

from mot_dinov3.errors import MotError, out_of_memory
from mot_dinov3.runs.loop.base import FrameSink, OnFrame, RunOutcome, RunSettings, VideoTracker
from mot_dinov3.runs.loop.reading import READ, Read, timed_reads
from mot_dinov3.runtime.signals import StopRequest
from mot_dinov3.runtime.statistics import WAIT
from mot_dinov3.runtime.threads import ReadAhead, ReadNow, WorkBehind, WorkNow
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult

EMBED = "embed"
MAIN, SINKS = "main", "sinks"
LOOP_THREADS = 3
"""Reading, tracking and writing: more processors do not help the loop."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A frame on its way from the tracker to the sinks."""

    read: Read
    result: FrameResult


@dataclass(frozen=True, slots=True)
class Written:
    """A frame that all sinks have taken.

    Attributes:
        result: what the tracker said of it.
        stage_ms: all its stages.
        latency_ms: from the beginning of its reading until the last sink had it, waiting in
            queues included.
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

    Sinks are finished in any case. A `MotError` on the way, or a lack of memory, ends the run and
    is kept in the outcome, so that what was tracked before it can still be summed up. With
    `settings.overlap` reading and the sinks have threads of their own; what comes out is the same.

    Args:
        frames: the source, in order.
        tracker: the system.
        sinks: not yet entered; each books its stages in `timer`.
        timer: shared with the sinks.
        on_frame: called after each frame, for progress.
        settings: how the loop runs; one thing after another when left out.
    """
    settings = settings or RunSettings()
    loop, stop = _Loop(tracker, sinks, timer, on_frame, settings), settings.stop
    try:
        with stop.listening(), ExitStack() as stack:
            for sink in sinks:
                stack.enter_context(sink)
            loop.run(frames, stop)
    except MotError as error:
        loop.outcome.error = error
    except MemoryError:
        loop.outcome.error = out_of_memory()
    loop.outcome.stopped_by, loop.outcome.asked = stop.signal, stop.asked
    return loop.outcome


class _Loop:
    """One run: its parts, and what is known of it so far."""

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
        reads = timed_reads(frames, self._timer.clock, live=self._live)
        first = next(reads, None)
        if first is None:
            return
        self._begin(first.frame)
        # Warming up is nobody's latency, as it is in no other figure of the run.
        first = replace(first, began_s=first.began_s + self.outcome.warm_up_s)
        upcoming = ReadAhead(reads) if self._ahead else ReadNow(reads)
        behind = WorkBehind(self._write) if self._overlap else WorkNow(self._write)
        try:
            with behind, upcoming:
                for read in chain((first,), upcoming):
                    behind.put(self._track(read))
                    self._book(behind.take_results())
                    self._tracker.pace(max(self._own_ms, self._all_ms / self._processors))
                    if stop.wanted():
                        break
        finally:
            self._book(behind.take_results())
            self._settle(self._timer.clock() - started, upcoming.waited_s + behind.waited_s)
            if self._overlap:
                self.outcome.busy_s[SINKS] = behind.busy_s

    def _begin(self, frame: Frame) -> None:
        started = self._timer.clock()
        self._tracker.warm_up(frame)
        self.outcome.warm_up_s = self._timer.clock() - started
        self.outcome.frame_size = (frame.width, frame.height)

    def _track(self, read: Read) -> Tracked:
        result = self._tracker.step(read.frame)
        own = dict(result.stage_ms) if self._ahead else {**read.stage_ms, **result.stage_ms}
        self._own_ms = work_ms(own)
        return Tracked(read, result)

    def _write(self, tracked: Tracked) -> Written:
        """Hand a frame to the sinks; the only part that another thread may run."""
        read, result, timer = tracked.read, tracked.result, self._timer
        timer.begin({**read.stage_ms, **result.stage_ms}, read.began_s)
        for sink in self._sinks:
            sink.write(read.frame, result)
        return Written(result, timer.stage_ms, timer.latency_ms)

    def _book(self, finished: Iterator[Written]) -> None:
        statistics = self.outcome.statistics
        for written in finished:
            statistics.add(written.result, written.stage_ms, written.latency_ms)
            self._all_ms = work_ms(written.stage_ms)
            if self._on_frame is not None:
                self._on_frame(written.result, statistics)

    def _settle(self, elapsed_s: float, waited_s: float) -> None:
        outcome, statistics = self.outcome, self.outcome.statistics
        outcome.wall_s = elapsed_s - outcome.warm_up_s
        camera_s = statistics.total_ms(WAIT) / 1000
        outcome.busy_s[MAIN] = max(0.0, outcome.wall_s - waited_s - camera_s)
        if self._ahead:
            outcome.busy_s[READ] = statistics.total_ms(READ) / 1000


def work_ms(stage_ms: Mapping[str, float]) -> float:
    """What a frame took beside embedding and waiting for a camera."""
    return sum(ms for stage, ms in stage_ms.items() if stage not in (WAIT, EMBED))
