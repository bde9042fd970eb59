"""What planning and association cost a frame: everything but detector and embedder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from time import process_time

import numpy as np

from mot_dinov3.config import DetectorConfig, TrackConfig
from mot_dinov3.data.synthetic.crowd import FPS, CrowdConfig, normalise
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.machine import run_on_one_core
from mot_dinov3.lab.recordings.clip import ClipPlayer, RecordedClip, record_detections
from mot_dinov3.lab.recordings.crowd import record_crowd
from mot_dinov3.perception.detectors.factory import create_detector, detector_kind, list_named_files
from mot_dinov3.runtime.distribution import summarise
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.values import Detections, FloatArray, Frame, Image

BARS_MS = {100: 1.5, 300: 8.0}
"""People in the crowd -> milliseconds a frame may cost."""

REPLAY_BAR_MS = 0.6
DIM = 512
SKIPPED = 20
"""First frames that do not count."""

CROWD_FRAMES = 220


def measure_association(context: BenchmarkContext) -> Report:
    """Measure milliseconds a frame on one core: recorded detections, crowds of moving boxes."""
    config, rounds = context.settings.config, context.settings.rounds
    rows, notes = (
        [],
        ["scheduler_ms: reusing vectors and keeping the cost model, on top of p50_ms."],
    )
    if detector_kind(config.detector.det).stored:
        recorded = record_mot_file(config.detector, context.settings.frames)
        for dim in (0, DIM):
            figures = run_on_one_core(measure_recorded, recorded, config, dim, rounds)
            rows.append(
                ResultRow(_build_label(recorded.title, dim), figures, Bar("p50_ms", REPLAY_BAR_MS))
            )
    else:
        notes.append("Give --det mot:FILE to measure on recorded detections too.")
    for people, bar_ms in BARS_MS.items():
        for dim in (0, DIM):
            figures = run_on_one_core(measure_crowd, config, people, dim, rounds)
            rows.append(
                ResultRow(_build_label(f"{people} x {people}", dim), figures, Bar("p50_ms", bar_ms))
            )
    return Report("predict, look, plan, associate, update; one core", rows, notes)


def _build_label(name: str, dim: int) -> str:
    return f"{name}, {f'embeddings of {dim}' if dim else 'motion only'}"


def record_mot_file(config: DetectorConfig, frames: int) -> RecordedClip:
    """Read the detections of a MOT file, at 30 frames a second; at most `frames`, 0 for all."""
    from mot_dinov3.io.formats.mot import read_mot

    detector = create_detector(config, "cpu")
    last = int(read_mot(list_named_files(config.det)[0]).frame_index.max(initial=-1))
    nothing = np.zeros((1, 1, 3), np.uint8)
    numbers = range(min(last + 1, frames or last + 1))
    return record_detections((Frame(number, number / FPS, nothing) for number in numbers), detector)


def measure_recorded(recorded: RecordedClip, config: TrackConfig, dim: int, rounds: int) -> Figures:
    """Measure on recorded detections; with `dim`, embeddings are made up from the boxes."""
    for index, frame in recorded.frames.items():
        recorded.frames[index] = replace(frame, vectors=embed_by_place(frame.detections, dim))
    return measure_clip(recorded, config, rounds)


def measure_crowd(config: TrackConfig, people: int, dim: int, rounds: int) -> Figures:
    """Measure on a crowd in which every person is seen in every frame."""
    return measure_clip(record_crowd(CrowdConfig(people, dim), CROWD_FRAMES), config, rounds)


def embed_by_place(detections: Detections, dim: int) -> FloatArray:
    """Make up embeddings: (N, dim) normalise rows that change smoothly with the box."""
    waves = np.random.default_rng(0).normal(0, 1 / 60.0, (4, dim))
    return normalise(np.sin(detections.xyxy @ waves + np.arange(dim)))


def measure_clip(recorded: RecordedClip, config: TrackConfig, rounds: int) -> Figures:
    """Measure median, p95 and mean milliseconds of a frame, after a warm-up, over all rounds."""
    passes = [islice(_time_steps(recorded, config), SKIPPED, None) for _ in range(rounds)]
    costs = [cost for one in passes for cost in one]
    figures = summarise([track for track, _ in costs])
    return {
        "frames": len(costs),
        "boxes": round(recorded.per_frame, 1),
        "p50_ms": figures["p50"],
        "p95_ms": figures["p95"],
        "mean_ms": figures["mean"],
        "scheduler_ms": summarise([scheduler for _, scheduler in costs])["p50"],
    }


def _time_steps(recorded: RecordedClip, config: TrackConfig) -> Iterator[tuple[float, float]]:
    """Measure milliseconds of tracking and of scheduling, frame by frame."""
    player = ClipPlayer(recorded)
    tracker = assemble(config, Models(player, player if player.dim else None))
    for frame in recorded.black_frames():
        stages = tracker.step(frame).stage_ms
        yield stages["track"], stages["embed"] - player.spent_ms


class TimedClipPlayer(ClipPlayer):
    """A player that measures the processor time of looking up its embeddings.

    Attributes:
        looked_up_s: seconds so far.
    """

    looked_up_s = 0.0

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """Look up the recorded vectors."""
        started = process_time()
        out = super().embed(image, xyxy)
        self.looked_up_s += process_time() - started
        return out


def measure_step_costs(config: TrackConfig, recorded: RecordedClip) -> list[float]:
    """Measure milliseconds of predict, plan, schedule, associate and update, frame by frame.

    It measures processor time, so that other programs on the core do not count. For a process
    with one thread (`open_one_core_pool`) on an idle machine it is the time that passes.
    """
    player = TimedClipPlayer(recorded)
    tracker = assemble(config, Models(player, player if player.dim else None))
    spent_ms = []
    for frame in recorded.black_frames():
        before_s, started = player.looked_up_s, process_time()
        tracker.step(frame)
        took_s = process_time() - started - (player.looked_up_s - before_s)
        spent_ms.append(took_s * 1000)
    return spent_ms
