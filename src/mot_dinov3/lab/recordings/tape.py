"""A clip's detections and embeddings, computed once and played again to any tracker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from mot_dinov3.lab.recordings.clock import Meter
from mot_dinov3.perception.detectors.base import Detector
from mot_dinov3.perception.features.base import Embedder
from mot_dinov3.values import Detections, FloatArray, Frame, Image

BATCH = 32
"""Crops embedded at once while recording."""


@dataclass(frozen=True, slots=True)
class Take:
    """One frame of a tape.

    `vectors` (N, D) and cheap evidence `cheap` (N, C) are aligned with the detections; D or C is 0
    where there are none.
    """

    index: int
    time_s: float
    detections: Detections
    vectors: FloatArray
    cheap: FloatArray = field(default_factory=lambda: np.zeros((0, 0), np.float32))


@dataclass(slots=True)
class Tape:
    """What a clip gives to a tracker.

    Attributes:
        title: the detector that was recorded.
        names: class id -> name.
        takes: by frame index, in order.
        frame_wh: width and height of the frames in pixels.
        whole_frame: vectors came of one pass over each whole picture.
    """

    title: str
    names: Mapping[int, str]
    takes: dict[int, Take] = field(default_factory=dict)
    frame_wh: tuple[int, int] = (1, 1)
    whole_frame: bool = False

    def __len__(self) -> int:
        return len(self.takes)

    def add(
        self,
        frame: Frame,
        detections: Detections,
        vectors: FloatArray | None = None,
        cheap: FloatArray | None = None,
    ) -> None:
        """Append one frame."""
        nothing = np.zeros((len(detections), 0), np.float32)
        self.takes[frame.index] = Take(
            frame.index,
            frame.time_s,
            detections,
            nothing if vectors is None else vectors,
            nothing if cheap is None else cheap,
        )

    @property
    def dim(self) -> int:
        """Length of a vector, 0 where nothing was embedded."""
        return next((take.vectors.shape[1] for take in self.takes.values()), 0)

    @property
    def cheap_dim(self) -> int:
        """Length of a row of cheap evidence, 0 where there is none."""
        return next((take.cheap.shape[1] for take in self.takes.values()), 0)

    def frames(self) -> Iterator[Frame]:
        """The frames in their size, black, for a tracker that reads detections off this tape."""
        width, height = self.frame_wh
        nothing = np.broadcast_to(np.uint8(0), (height, width, 3))
        return (Frame(take.index, take.time_s, nothing) for take in self.takes.values())

    @property
    def per_frame(self) -> float:
        """Mean number of detections in a frame."""
        return sum(len(take.detections) for take in self.takes.values()) / max(len(self), 1)


def record(frames: Iterable[Frame], detector: Detector) -> Tape:
    """Run the detector once over the frames."""
    tape = Tape(detector.title, detector.names)
    for frame in frames:
        if not len(tape):
            tape.frame_wh = (frame.width, frame.height)
            detector.warm_up(frame.width, frame.height)
        tape.add(frame, detector.detect(frame))
    return tape


def with_vectors(tape: Tape, frames: Iterable[Frame], embedder: Embedder, conf: float) -> Tape:
    """The same tape with every detection of at least `conf` embedded from the frames' pixels."""
    out = Tape(tape.title, tape.names, frame_wh=tape.frame_wh)
    for frame in frames:
        detections = tape.takes[frame.index].detections
        vectors = np.full((len(detections), embedder.dim), np.nan, np.float32)
        rows = np.flatnonzero(detections.score >= conf)
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            vectors[batch] = embedder.embed(frame.image, detections.xyxy[batch])
        out.add(frame, detections, vectors)
    return out


class TapePlayer:
    """A detector and an embedder that only look up what a tape holds for the frame.

    With a `meter` the virtual clock is charged with what the work cost when it was recorded.

    Attributes:
        spent_ms: time spent looking up embeddings since the last `detect`.
        take: what `detect` saw last.
        whole_frame: as the tape's.
    """

    device = "cpu"
    fingerprint = repeated = ""
    has_own_cost = False
    has_memory = False

    def __init__(self, tape: Tape, meter: Meter | None = None) -> None:
        self.tape = tape
        self.meter = meter
        self.title = f"{tape.title}, recorded"
        self.names = tape.names
        self.dim = tape.dim
        self.whole_frame = tape.whole_frame
        self.spent_ms = 0.0
        self.take = Take(-1, 0.0, Detections.empty(), np.zeros((0, 0), np.float32))
        self._row_of: dict[bytes, int] = {}

    def warm_up(self, width: int, height: int) -> None:
        """Nothing to do: all is in memory."""

    def detect(self, frame: Frame) -> Detections:
        """What was seen in that frame."""
        take = self.tape.takes[frame.index]
        self.spent_ms = 0.0
        if self.meter is not None:
            self.meter.frame()
        self.take = take
        if self.dim:
            self._row_of = {box.tobytes(): row for row, box in enumerate(take.detections.xyxy)}
        return take.detections

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """The recorded vectors of boxes of the frame that `detect` saw last."""
        started = perf_counter()
        out = self.take.vectors[[self._row_of[box.tobytes()] for box in xyxy]]
        if self.meter is not None:
            self.meter.batch(len(xyxy))
        self.spent_ms += (perf_counter() - started) * 1000
        return out


class CheapPlayer:
    """Cheap evidence of all detections of a frame, looked up on a tape."""

    device, title, fingerprint = "cpu", "recorded", ""
    whole_frame = True
    has_own_cost = False
    has_memory = False

    def __init__(self, tape: Tape, player: TapePlayer) -> None:
        self.dim = tape.cheap_dim
        self._player = player

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """What was recorded for the frame that the player saw last; `xyxy` are all its boxes."""
        return self._player.take.cheap
