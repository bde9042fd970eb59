"""A system with a run journal: known frames are repeated from it, new ones are written to it."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Self

from mot_dinov3.runs.resume.answers import tracks_checksum
from mot_dinov3.runs.resume.journal import RunJournal
from mot_dinov3.runs.resume.recorder import DivergedError, JournalRecorder, NewAnswers
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.base import System, WrappedSystem
from mot_dinov3.values import Frame, FrameResult


class JournaledSystem(WrappedSystem):
    """A system beside a journal: tracks of known frames are checked, of new ones recorded.

    Args:
        system: started with `recorder`; it may have ignored it.
        recorder: records and repeats the answers of the models.
        journal: holds the answers of earlier runs.

    Attributes:
        unwritten: answers of new frames in order, from the thread that tracks to `JournalSink`,
            which may run in another one.
    """

    def __init__(self, system: System, recorder: JournalRecorder, journal: RunJournal) -> None:
        super().__init__(system)
        self._recorder, self._journal = recorder, journal
        self.unwritten: deque[NewAnswers] = deque()

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame, with the answers of the journal where it holds the frame.

        Raises:
            InputError: the tracks are not those that the journal proves.
        """
        recorder, journal = self._recorder, self._journal
        known = journal.read_next(frame)
        recorder.begin(frame, known)
        try:
            result = self._system.step(frame)
        except DivergedError as error:
            raise journal.mismatch(frame, "leads elsewhere") from error
        if known is None:
            self.unwritten.append(recorder.collect(frame))
            return result
        if known.tracks != tracks_checksum(result.tracks):
            raise journal.mismatch(frame, "leads to other tracks")
        stage_ms = dict(result.stage_ms)
        for stage, ms in recorder.repeated_ms.items():
            stage_ms[stage] = stage_ms.get(stage, 0.0) + ms
        return replace(result, stage_ms=stage_ms)


class JournalSink:
    """Writes the answers of new frames to the journal, as the first of all sinks.

    It is a sink because a write lets other threads run: in the thread of the sinks that costs
    nothing, in the thread that tracks it would delay every frame.
    """

    def __init__(self, system: JournaledSystem, journal: RunJournal, timer: StageTimer) -> None:
        self._system, self._journal, self._timer = system, journal, timer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """The job closes the journal, as it must outlive all sinks."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write one frame, unless it came from the journal."""
        unwritten = self._system.unwritten
        if unwritten and unwritten[0].frame_index == frame.index:
            with self._timer("write"):
                self._journal.append(unwritten.popleft().complete(frame, result))
