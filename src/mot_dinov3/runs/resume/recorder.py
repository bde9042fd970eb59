"""Records what the models of a system answer in a frame, or repeats what the journal holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from mot_dinov3.runs.resume.answers import FrameAnswers, picture_checksum, tracks_checksum
from mot_dinov3.values import Detections, FloatArray, Frame, FrameResult


@dataclass(frozen=True, slots=True)
class NewAnswers:
    """What the models answered in a frame that the journal does not hold yet.

    The thread that tracks only collects it; that of the sinks makes a record of it (`complete`).

    Attributes:
        frame_index: 0-based index of the frame in the source.
        detections: of the detector; none where the system did not ask for any.
        admitted: how many crops the budget let through, each time that it was asked.
        batches: crops and milliseconds of each batch that was embedded.
        vectors: (n, D) float32 of each batch.
    """

    frame_index: int
    detections: Detections
    admitted: Sequence[int]
    batches: Sequence[tuple[int, float]]
    vectors: Sequence[FloatArray]

    def complete(self, frame: Frame, result: FrameResult) -> FrameAnswers:
        """The record of the frame: the answers with checksums of its picture and its tracks."""
        nothing = np.zeros((0, 0), np.float32)
        return FrameAnswers(
            index=frame.index,
            time_s=frame.time_s,
            picture=picture_checksum(frame),
            tracks=tracks_checksum(result.tracks),
            detections=self.detections,
            detect_ms=result.stage_ms.get("detect", 0.0),
            admitted=self.admitted,
            batches=self.batches,
            vectors=np.concatenate(self.vectors) if self.vectors else nothing,
        )


class DivergedError(Exception):
    """The system asked for something else than it did when the journal was written."""


class JournalRecorder:
    """The `Recorder` of a run with a journal, for one frame at a time.

    The answers of a known frame are repeated, and `clock`, which budgets read, moves on by the
    time that the embeddings took when they were new. For any other frame the models are asked
    and their answers kept.
    """

    def __init__(self) -> None:
        self._ahead_s = 0.0  # of the clock, by all repeated embeddings
        self._frame: Frame | None = None
        self.begin(None, None)

    def clock(self) -> float:
        """Seconds, moved on by the time that repeated embeddings took when they were new."""
        return perf_counter() + self._ahead_s

    def begin(self, frame: Frame | None, known: FrameAnswers | None) -> None:
        """Begin a frame.

        Args:
            frame: the frame; None for work outside of frames, which is not kept.
            known: its answers, None if the journal does not hold them.
        """
        self._frame, self._known = frame, known
        self._detections = Detections.empty()
        self._repeated_detect_ms = 0.0
        self._admitted: list[int] = []
        self._batches: list[tuple[int, float]] = []
        self._vectors: list[FloatArray] = []
        self._next_vector = 0

    def get_detections(self, ask: Callable[[], Detections]) -> Detections:
        """The detections of the frame."""
        if self._known is not None:
            self._repeated_detect_ms = self._known.detect_ms
            return self._known.detections
        self._detections = ask()
        return self._detections

    def get_admitted(self, ask: Callable[[], int]) -> int:
        """How many crops the budget admits; it is asked in any case, as it counts the calls."""
        admitted = ask()
        if self._known is not None:
            place = len(self._admitted)
            if place >= len(self._known.admitted):
                raise DivergedError("the budget was asked more often")
            admitted = self._known.admitted[place]
        self._admitted.append(admitted)
        return admitted

    def get_vectors(self, n: int, ask: Callable[[], FloatArray]) -> FloatArray:
        """(n, D) embeddings of a batch of crops."""
        if self._known is not None:
            return self._repeat_vectors(n, self._known)
        if self._frame is None:
            return ask()
        started = perf_counter()
        vectors = ask()
        self._batches.append((n, (perf_counter() - started) * 1000))
        self._vectors.append(vectors)
        return vectors

    def _repeat_vectors(self, n: int, known: FrameAnswers) -> FloatArray:
        """The next `n` of the vectors of a known frame, if they were one batch.

        Raises:
            DivergedError: the next batch had another size.
        """
        place = len(self._batches)
        if place >= len(known.batches) or known.batches[place][0] != n:
            raise DivergedError("other crops were embedded")
        ms = known.batches[place][1]
        self._batches.append((n, ms))
        self._ahead_s += ms / 1000
        first = self._next_vector
        self._next_vector += n
        return known.vectors[first : first + n]

    def collect(self, frame: Frame) -> NewAnswers:
        """Everything that the models answered in the frame that ends now."""
        return NewAnswers(
            frame.index, self._detections, self._admitted, self._batches, self._vectors
        )

    @property
    def repeated_ms(self) -> Mapping[str, float]:
        """Stage -> milliseconds that the repeated answers took when they were new."""
        if self._known is None:
            return {}
        embed_ms = sum(ms for _, ms in self._batches)
        repeated = {"detect": self._repeated_detect_ms, "embed": embed_ms}
        return {stage: ms for stage, ms in repeated.items() if ms}
