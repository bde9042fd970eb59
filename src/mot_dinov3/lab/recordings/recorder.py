"""Records a source: detects and embeds every crop once, and measures what that costs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.data.synthetic.reader import SyntheticReader
from mot_dinov3.data.synthetic.truth import as_table
from mot_dinov3.io.formats.mot import MotTable, read_mot
from mot_dinov3.io.read.sources import FrameReader
from mot_dinov3.lab.recordings.clip import ClipPlayer, RecordedClip
from mot_dinov3.lab.recordings.clock import CostTable
from mot_dinov3.perception.features.base import Embedder
from mot_dinov3.runtime.device import create_synchronised_clock
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.values import Detections, FloatArray, Frame

BATCH = 64
"""Crops embedded at once, the scheduler's own largest batch."""

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
REPEATS = 7
LIMIT_S = 4.0
"""Seconds after which no larger batch is measured."""

MOT_PREFIX = "mot:"
GROUND_TRUTH = Path("gt") / "gt.txt"

OnFrame = Callable[[int, int], None]
"""Called after each frame with the frames so far and the crops so far."""


@dataclass(slots=True)
class RecordedPass:
    """The result of one pass over a source.

    Attributes:
        clip: detections and embeddings of all frames.
        content: fingerprint of the pictures.
        costs: medians of what was measured.
    """

    clip: RecordedClip
    content: str = ""
    costs: CostTable = field(default_factory=CostTable)


def record_source(
    frames: Iterable[Frame],
    models: Models,
    config: TrackConfig,
    on_frame: OnFrame | None = None,
) -> RecordedPass:
    """Detect and embed everything in a source.

    Confident detections are embedded in the batches that `--embed-all` would make of them, so
    that a replay agrees with it to the last bit; weak ones follow in batches of their own.

    Args:
        frames: the source, in order.
        models: detector and embedder; without an embedder, motion only.
        config: detections of at least `detector.conf` are confident; the tracker is timed as
            configured.
        on_frame: called after each frame, for progress.
    """
    detector, embedder, cheap = models.detector, models.embedder, models.cheap
    watch = Stopwatch(models.device)
    clip = RecordedClip(detector.title, detector.names)
    digest, busiest = ContentDigest(), _Busiest()
    clip.whole_frame = models.whole_frame
    read_ms: list[float] = []
    detect_ms: list[float] = []
    cheap_ms: list[float] = []
    crops = 0
    watch.start()
    for frame in frames:
        read_ms.append(watch.ms())
        if not len(clip):
            clip.frame_wh = (frame.width, frame.height)
            detector.warm_up(frame.width, frame.height)
        watch.start()
        detections = detector.detect(frame)
        detect_ms.append(watch.ms())
        watch.start()
        hints = cheap.embed(frame.image, detections.xyxy) if cheap else None
        cheap_ms.append(watch.ms())
        vectors = embed_all_detections(embedder, frame, detections, config)
        clip.add(frame, detections, vectors, hints)
        digest.add(frame)
        busiest.consider(frame, detections)
        crops += len(detections)
        if on_frame is not None:
            on_frame(len(clip), crops)
        watch.start()
    stages = {"read": _median(read_ms), "detect": _median(detect_ms)}
    stages["track"] = measure_track_ms(clip, config)
    if cheap is not None:
        stages["cheap"] = _median(cheap_ms)
    costs = CostTable(busiest.measure(embedder, watch), stages)
    return RecordedPass(clip, digest.hexdigest(), costs)


def embed_all_detections(
    embedder: Embedder | None, frame: Frame, detections: Detections, config: TrackConfig
) -> FloatArray:
    """Embed all detections of a frame: (N, D) vectors, D = 0 without an embedder."""
    if embedder is None:
        return np.zeros((len(detections), 0), np.float32)
    vectors = np.full((len(detections), embedder.dim), np.nan, np.float32)
    strong = detections.score >= config.detector.conf
    for rows in (np.flatnonzero(strong), np.flatnonzero(~strong)):
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            vectors[batch] = embedder.embed(frame.image, detections.xyxy[batch])
    return vectors


def measure_track_ms(clip: RecordedClip, config: TrackConfig) -> float:
    """Measure median milliseconds of planning and association, every crop embedded."""
    player = ClipPlayer(clip)
    models = Models(player, player if player.dim else None)
    tracker = assemble(config, models, scheduler=SchedulerConfig(embed_all=True))
    watch, samples = Stopwatch("cpu"), []
    for frame in clip.black_frames():
        watch.start()
        tracker.step(frame)
        samples.append(watch.ms())
    return _median(samples)


class Stopwatch:
    """Measures milliseconds of work also on a machine that does other work.

    On a CPU it is the lesser of the time that passed and the time that this process worked, so
    waiting for a core does not count. Elsewhere the device works beside this process, and the
    time that passed counts, after the device has finished.
    """

    def __init__(self, device: str) -> None:
        self._clock = create_synchronised_clock(device)
        self._worked = process_time if device == "cpu" else None
        self.start()

    def start(self) -> None:
        """Begin to measure."""
        self._passed_s = self._clock()
        self._worked_s = self._worked() if self._worked is not None else 0.0

    def ms(self) -> float:
        """Milliseconds since `start`."""
        passed_s = self._clock() - self._passed_s
        if self._worked is None:
            return passed_s * 1000
        return min(passed_s, self._worked() - self._worked_s) * 1000


class _Busiest:
    """Keeps the frame with the most detections, on which batches are timed afterwards."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        self.xyxy: FloatArray = np.empty((0, 4), np.float32)

    def consider(self, frame: Frame, detections: Detections) -> None:
        if len(detections) > len(self.xyxy):
            self.frame = Frame(frame.index, frame.time_s, frame.image.copy())
            self.xyxy = detections.xyxy

    def measure(self, embedder: Embedder | None, watch: Stopwatch) -> dict[int, float]:
        """Batch size -> median milliseconds; the first call of every size is not counted."""
        out: dict[int, float] = {}
        if embedder is None or self.frame is None:
            return out
        started = perf_counter()
        for n in SIZES:
            boxes = np.resize(self.xyxy, (n, 4))
            embedder.embed(self.frame.image, boxes)
            samples = []
            for _ in range(REPEATS):
                watch.start()
                embedder.embed(self.frame.image, boxes)
                samples.append(watch.ms())
            out[n] = _median(samples)
            if perf_counter() - started > LIMIT_S:
                break
        return _make_monotonic(out)


def _make_monotonic(costs: dict[int, float]) -> dict[int, float]:
    """Remove noise that would make a larger batch cheaper than a smaller one."""
    most = 0.0
    out = {}
    for n, ms in costs.items():
        most = max(most, ms)
        out[n] = most
    return out


def _median(samples: list[float]) -> float:
    return round(median(samples), 3) if samples else 0.0


class ContentDigest:
    """sha256 of the pictures and times of a source, taken frame by frame."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, frame: Frame) -> None:
        """Take in one more frame."""
        head = f"{frame.index} {frame.time_s:.6f} {frame.width} {frame.height}\n"
        self._hash.update(head.encode())
        if any(frame.image.strides):
            self._hash.update(frame.image.tobytes())

    def hexdigest(self) -> str:
        """The fingerprint of what was added so far."""
        return self._hash.hexdigest()


def read_truth(source: str, reader: FrameReader, frames: int) -> MotTable | None:
    """Read the ground truth of a source: a drawn one knows it, a sequence stores it.

    Args:
        source: as the user named it.
        reader: the source.
        frames: of a drawn source, so many from its first one; to know them takes as long as to
            draw them.

    Raises:
        InputError: there is a file of ground truth, but it makes no sense.
    """
    if isinstance(reader, SyntheticReader):
        return as_table([truth for _, truth in islice(reader.world, frames)])
    directory = Path(source.removeprefix(MOT_PREFIX)).expanduser()
    file = directory / GROUND_TRUTH
    if not file.is_file() and directory.name == "img1":
        file = directory.parent / GROUND_TRUTH
    return read_mot(file) if file.is_file() else None
