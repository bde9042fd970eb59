"""A tracker that keeps a journal: the frames it knows are told again, the others written down."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Self

from mot_dinov3.runs.resume.answers import proof_of
from mot_dinov3.runs.resume.journal import RunJournal
from mot_dinov3.runs.resume.witness import DivergedError, Heard, Witness
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.values import Frame, FrameResult


class JournaledTracker:
    """The modular tracker behind the same door, heard by a witness.

    Args:
        tracker: built around models that the witness hears.
        witness: hears them.
        journal: knows what was told before.

    Attributes:
        heard: of frames that were tracked, but not written down yet; see `JournalSink`.
    """

    def __init__(self, tracker: ModularTracker, witness: Witness, journal: RunJournal) -> None:
        self._tracker, self._witness, self._journal = tracker, witness, journal
        self.heard: deque[Heard] = deque()

    def warm_up(self, frame: Frame) -> None:
        """Pay for first calls."""
        self._tracker.warm_up(frame)

    def pace(self, other_ms: float) -> None:
        """Hear what a frame takes beside embedding."""
        self._tracker.pace(other_ms)

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame, without its detector and embedder where the journal knows it.

        Raises:
            InputError: the journal does not lead to the same tracks again.
        """
        witness, journal = self._witness, self._journal
        known = journal.told(frame)
        witness.begin(frame, known)
        try:
            result = self._tracker.step(frame)
        except DivergedError as error:
            raise journal.misfit(frame, "leads elsewhere") from error
        if known is None:
            self.heard.append(witness.heard(frame))
            return result
        if known.tracks != proof_of(result.tracks):
            raise journal.misfit(frame, "leads to other tracks")
        told = {name: result.stage_ms.get(name, 0.0) + ms for name, ms in witness.told_ms.items()}
        return replace(result, stage_ms={**result.stage_ms, **told})


class JournalSink:
    """Writes down what a tracker heard: the first of the sinks, so in their thread beside tracking.

    A write lets other threads run; in the tracker's own thread it would wait for them each time.
    """

    def __init__(self, tracker: JournaledTracker, journal: RunJournal, timer: StageTimer) -> None:
        self._tracker, self._journal, self._timer = tracker, journal, timer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """The journal is settled by whoever began it."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write down one frame, unless the journal told it."""
        waiting = self._tracker.heard
        if waiting and waiting[0].frame_index == frame.index:
            with self._timer("write"):
                self._journal.keep(waiting.popleft().answers(frame, result))
