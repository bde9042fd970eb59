"""A tracker that keeps a journal: the frames it knows are told again, the others written down."""

from __future__ import annotations

from dataclasses import replace

from mot_dinov3.pipeline import ModularTracker
from mot_dinov3.resume.answers import proof_of
from mot_dinov3.resume.journal import RunJournal
from mot_dinov3.resume.witness import DivergedError, Witness
from mot_dinov3.structures import Frame, FrameResult


class JournaledTracker:
    """The modular tracker behind the same door, heard by a witness.

    Args:
        tracker: built around models that the witness hears.
        witness: hears them.
        journal: where it is kept.
    """

    def __init__(self, tracker: ModularTracker, witness: Witness, journal: RunJournal) -> None:
        self._tracker, self._witness, self._journal = tracker, witness, journal

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
            journal.keep(witness.answers(frame, result))
            return result
        if known.tracks != proof_of(result.tracks):
            raise journal.misfit(frame, "leads to other tracks")
        told = {name: result.stage_ms.get(name, 0.0) + ms for name, ms in witness.told_ms.items()}
        return replace(result, stage_ms={**result.stage_ms, **told})
