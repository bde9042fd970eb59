"""Hears what a tracker is told, or tells it again what is in a journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from mot_dinov3.perception.detectors.base import Detector
from mot_dinov3.perception.features.base import Embedder
from mot_dinov3.runs.resume.answers import Answers, look_of, proof_of
from mot_dinov3.systems.modular import Models, ModularTracker
from mot_dinov3.values import Detections, FloatArray, Frame, FrameResult, Image


@dataclass(frozen=True, slots=True)
class Heard:
    """What a tracker was told in one frame, by whoever had to be asked.

    Attributes:
        frame_index: 0-based index of the frame in the source.
        detections: what the detector saw.
        admitted: what the budget said each time it was asked how many crops may go on.
        batches: crops and milliseconds of each batch that was embedded.
        vectors: (n, D) float32 of each batch.
    """

    frame_index: int
    detections: Detections
    admitted: Sequence[int]
    batches: Sequence[tuple[int, float]]
    vectors: Sequence[FloatArray]

    def answers(self, frame: Frame, result: FrameResult) -> Answers:
        """The same, ready to be written down, with what tells the frame and its tracks again."""
        nothing = np.zeros((0, 0), np.float32)
        return Answers(
            index=frame.index,
            time_s=frame.time_s,
            picture=look_of(frame),
            tracks=proof_of(result.tracks),
            detections=self.detections,
            detect_ms=result.stage_ms.get("detect", 0.0),
            admitted=self.admitted,
            batches=self.batches,
            vectors=np.concatenate(self.vectors) if self.vectors else nothing,
        )


class DivergedError(Exception):
    """The tracker asked for something else than it did when the journal was written."""


class Witness:
    """Stands between a tracker and those who answer it, for one frame at a time.

    Where a frame's answers are known they are given without asking, and take as long as they took:
    `clock` moves on by that time. Else everybody is asked, and the answers are kept.
    """

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._frame: Frame | None = None
        self.begin(None, None)

    def clock(self) -> float:
        """Seconds, on which what is told again takes the time that it took."""
        return perf_counter() + self._ahead_s

    def begin(self, frame: Frame | None, known: Answers | None) -> None:
        """A frame begins, whose answers are known or not; without a frame nothing is kept."""
        self._frame, self._known = frame, known
        self._seen = Detections.empty()
        self._admitted: list[int] = []
        self._batches: list[tuple[int, float]] = []
        self._vectors: list[FloatArray] = []
        self._given = 0

    def detections(self, ask: Callable[[], Detections]) -> Detections:
        """What the detector says."""
        if self._known is not None:
            return self._known.detections
        self._seen = ask()
        return self._seen

    def admitted(self, ask: Callable[[], int]) -> int:
        """What the budget says; it is asked in any case, for it counts how often."""
        said = ask()
        if self._known is not None:
            place = len(self._admitted)
            if place >= len(self._known.admitted):
                raise DivergedError("the budget was asked more often")
            said = self._known.admitted[place]
        self._admitted.append(said)
        return said

    def vectors(self, n: int, ask: Callable[[], FloatArray]) -> FloatArray:
        """(n, D) what the embedder says of a batch."""
        if self._known is not None:
            return self._told_again(n, self._known)
        if self._frame is None:
            return ask()
        started = perf_counter()
        vectors = ask()
        self._batches.append((n, (perf_counter() - started) * 1000))
        self._vectors.append(vectors)
        return vectors

    def _told_again(self, n: int, known: Answers) -> FloatArray:
        place = len(self._batches)
        if place >= len(known.batches) or known.batches[place][0] != n:
            raise DivergedError("other crops were embedded")
        ms = known.batches[place][1]
        self._batches.append((n, ms))
        self._ahead_s += ms / 1000
        self._given += n
        return known.vectors[self._given - n : self._given]

    def heard(self, frame: Frame) -> Heard:
        """Everything that was heard of the frame that ends now."""
        return Heard(frame.index, self._seen, self._admitted, self._batches, self._vectors)

    @property
    def told_ms(self) -> Mapping[str, float]:
        """Stage -> milliseconds that the told answers took when they were new."""
        if self._known is None:
            return {}
        embed_ms = sum(ms for _, ms in self._batches)
        return {"detect": self._known.detect_ms, "embed": embed_ms}


class HeardDetector:
    """A detector that answers through a witness.

    Args:
        detector: who answers.
        witness: hears it.
        always: ask also where the answer is known, because somebody remembers what was seen.
    """

    def __init__(self, detector: Detector, witness: Witness, *, always: bool) -> None:
        self.names = detector.names
        self.has_memory = detector.has_memory
        self._detector, self._witness, self._always = detector, witness, always

    @property
    def title(self) -> str:
        """What runs."""
        return self._detector.title

    @property
    def fingerprint(self) -> str:
        """The detector's own."""
        return self._detector.fingerprint

    @property
    def repeated(self) -> str:
        """The detector's own."""
        return self._detector.repeated

    def warm_up(self, width: int, height: int) -> None:
        """As the detector does."""
        self._detector.warm_up(width, height)

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame, told or told again."""
        if self._always:
            seen = self._detector.detect(frame)
            return self._witness.detections(lambda: seen)
        return self._witness.detections(lambda: self._detector.detect(frame))


class HeardEmbedder:
    """An embedder that answers through a witness."""

    def __init__(self, embedder: Embedder, witness: Witness) -> None:
        self.device = embedder.device
        self.whole_frame = embedder.whole_frame
        self.has_own_cost = embedder.has_own_cost
        self.has_memory = embedder.has_memory
        self._embedder, self._witness = embedder, witness

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._embedder.dim

    @property
    def title(self) -> str:
        """What runs."""
        return self._embedder.title

    @property
    def fingerprint(self) -> str:
        """The embedder's own."""
        return self._embedder.fingerprint

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """One vector per box, told or told again."""
        return self._witness.vectors(len(xyxy), lambda: self._embedder.embed(image, xyxy))


def heard(models: Models, witness: Witness) -> Models:
    """The same models, answering through a witness.

    Who remembers what it saw is asked in any case, so that it knows the same when the journal
    ends: the background of a detector of motion, and what is usual in a detector's own features.
    """
    embedder = models.embedder
    parts = (models.detector, embedder, models.cheap)
    always = any(part.has_memory for part in parts if part is not None)
    if embedder is not None and not embedder.has_memory:
        embedder = HeardEmbedder(embedder, witness)
    return Models(HeardDetector(models.detector, witness, always=always), embedder, models.cheap)


def listen(tracker: ModularTracker, witness: Witness) -> None:
    """Let the witness hear the tracker's budget, too."""
    scheduler = tracker.scheduler
    ask = scheduler.fits
    scheduler.fits = lambda waiting, most: witness.admitted(lambda: ask(waiting, most))
