"""A clip's detections and embeddings, computed once and played again to any tracker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from mot_dinov3.lab.recordings.clock import CostMeter
from mot_dinov3.perception.detectors.base import Detector
from mot_dinov3.perception.features.base import Embedder
from mot_dinov3.values import Detections, FloatArray, Frame, Image

BATCH = 32
"""Crops embedded at once while recording."""


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """One frame of a recorded clip.

    Attributes:
        index: 0-based position in the source.
        time_s: seconds from the first frame.
        detections: what the detector saw.
        vectors: (N, D) float32 embeddings, aligned with the detections; D is 0 without an
            embedder.
        cheap: (N, C) float32 cheap evidence, aligned with the detections; C is 0 without any.
    """

    index: int
    time_s: float
    detections: Detections
    vectors: FloatArray
    cheap: FloatArray = field(default_factory=lambda: np.zeros((0, 0), np.float32))


@dataclass(slots=True)
class RecordedClip:
    """What the models gave for each frame of a clip.

    Attributes:
        title: the detector that was recorded.
        names: class id -> name.
        frames: by frame index, in order.
        frame_wh: width and height of the frames in pixels.
        whole_frame: whether the vectors come from one pass over each whole picture.
    """

    title: str
    names: Mapping[int, str]
    frames: dict[int, RecordedFrame] = field(default_factory=dict)
    frame_wh: tuple[int, int] = (1, 1)
    whole_frame: bool = False

    def __len__(self) -> int:
        return len(self.frames)

    def add(
        self,
        frame: Frame,
        detections: Detections,
        vectors: FloatArray | None = None,
        cheap: FloatArray | None = None,
    ) -> None:
        """Append one frame."""
        nothing = np.zeros((len(detections), 0), np.float32)
        self.frames[frame.index] = RecordedFrame(
            frame.index,
            frame.time_s,
            detections,
            nothing if vectors is None else vectors,
            nothing if cheap is None else cheap,
        )

    @property
    def dim(self) -> int:
        """Length of a vector, 0 where nothing was embedded."""
        return next((recorded.vectors.shape[1] for recorded in self.frames.values()), 0)

    @property
    def cheap_dim(self) -> int:
        """Length of a row of cheap evidence, 0 where there is none."""
        return next((recorded.cheap.shape[1] for recorded in self.frames.values()), 0)

    def black_frames(self) -> Iterator[Frame]:
        """The frames in their size, black, for a tracker that looks up these detections."""
        width, height = self.frame_wh
        nothing = np.broadcast_to(np.uint8(0), (height, width, 3))
        return (Frame(item.index, item.time_s, nothing) for item in self.frames.values())

    @property
    def per_frame(self) -> float:
        """Mean number of detections in a frame."""
        count = sum(len(item.detections) for item in self.frames.values())
        return count / max(len(self), 1)


def record_detections(frames: Iterable[Frame], detector: Detector) -> RecordedClip:
    """Run the detector once over the frames and keep what it finds."""
    clip = RecordedClip(detector.title, detector.names)
    for frame in frames:
        if not len(clip):
            clip.frame_wh = (frame.width, frame.height)
            detector.warm_up(frame.width, frame.height)
        clip.add(frame, detector.detect(frame))
    return clip


def embed_clip(
    clip: RecordedClip, frames: Iterable[Frame], embedder: Embedder, conf: float
) -> RecordedClip:
    """Embed every detection of at least `conf` from the frames' pixels; returns a new clip."""
    out = RecordedClip(clip.title, clip.names, frame_wh=clip.frame_wh)
    for frame in frames:
        detections = clip.frames[frame.index].detections
        vectors = np.full((len(detections), embedder.dim), np.nan, np.float32)
        rows = np.flatnonzero(detections.score >= conf)
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            vectors[batch] = embedder.embed(frame.image, detections.xyxy[batch])
        out.add(frame, detections, vectors)
    return out


class ClipPlayer:
    """A detector and an embedder that only look up what was recorded for the frame.

    With a `meter` the virtual clock is charged with what the work cost when it was recorded.

    Attributes:
        spent_ms: time spent looking up embeddings since the last `detect`.
        recorded: the frame that `detect` returned last.
        whole_frame: as the clip's.
    """

    device = "cpu"
    fingerprint = repeated = ""
    has_own_cost = False
    has_memory = False

    def __init__(self, clip: RecordedClip, meter: CostMeter | None = None) -> None:
        self.clip = clip
        self.meter = meter
        self.title = f"{clip.title}, recorded"
        self.names = clip.names
        self.dim = clip.dim
        self.whole_frame = clip.whole_frame
        self.spent_ms = 0.0
        self.recorded = RecordedFrame(-1, 0.0, Detections.empty(), np.zeros((0, 0), np.float32))
        self._row_of: dict[bytes, int] = {}

    def warm_up(self, width: int, height: int) -> None:
        """Nothing to do: all is in memory."""

    def detect(self, frame: Frame) -> Detections:
        """The recorded detections of that frame."""
        recorded = self.clip.frames[frame.index]
        self.spent_ms = 0.0
        if self.meter is not None:
            self.meter.charge_frame()
        self.recorded = recorded
        if self.dim or self.clip.cheap_dim:
            self._row_of = {box.tobytes(): row for row, box in enumerate(recorded.detections.xyxy)}
        return recorded.detections

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """Look up the recorded vectors of boxes of the frame that `detect` returned last."""
        started = perf_counter()
        out = self.recorded.vectors[self.find_rows(xyxy)]
        if self.meter is not None:
            self.meter.charge_batch(len(xyxy))
        self.spent_ms += (perf_counter() - started) * 1000
        return out

    def find_rows(self, xyxy: FloatArray) -> list[int]:
        """The rows of boxes in the frame that `detect` returned last."""
        return [self._row_of[box.tobytes()] for box in xyxy]


class CheapEvidencePlayer:
    """Looks up the recorded cheap evidence of all detections of a frame."""

    device, title, fingerprint = "cpu", "recorded", ""
    whole_frame = True
    has_own_cost = False
    has_memory = False

    def __init__(self, clip: RecordedClip, player: ClipPlayer) -> None:
        self.dim = clip.cheap_dim
        self._player = player

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """The cheap evidence of the frame that the player detected last; `xyxy`: all its boxes.

        Of a frame with too much overlap only some are asked for.
        """
        cheap = self._player.recorded.cheap
        return cheap if len(xyxy) == len(cheap) else cheap[self._player.find_rows(xyxy)]
