"""Frames with the time it took to read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter, thread_time

from mot_dinov3.runtime.statistics import WAIT
from mot_dinov3.runtime.timing import Clock
from mot_dinov3.values import Frame

READ = "read"


@dataclass(frozen=True, slots=True)
class Read:
    """A frame that was read.

    Attributes:
        frame: the frame.
        stage_ms: milliseconds of "read", and of "wait" on a live source.
        began_s: when its reading began, waiting left out, on the clock of the reading.
    """

    frame: Frame
    stage_ms: dict[str, float]
    began_s: float


def timed_reads(
    frames: Iterable[Frame], clock: Clock = perf_counter, *, live: bool = False
) -> Iterator[Read]:
    """Each frame with the milliseconds of its stage "read".

    A live source makes the reader wait for the next picture. That is no work, so it becomes a
    stage of its own, "wait": whatever this thread did not compute.
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
        yield Read(frame, stages, ended - work_s)
