"""What planning and association cost a frame: everything but detector and embedder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from mot_dinov3.config import DetectorConfig, TrackConfig
from mot_dinov3.data.synthetic.crowd import FPS, CrowdConfig, normalise
from mot_dinov3.lab.alone import on_one_core
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, Row
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.recordings.crowd import crowd_tape
from mot_dinov3.lab.recordings.tape import Tape, TapePlayer, record
from mot_dinov3.perception.detectors.factory import create_detector, detector_kind, named_files
from mot_dinov3.runtime.distribution import summarise
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.modular import Models
from mot_dinov3.values import Detections, FloatArray, Frame

BARS_MS = {100: 1.5, 300: 8.0}
"""People in the crowd -> milliseconds a frame may cost."""

REPLAY_BAR_MS = 0.6
DIM = 512
SKIPPED = 20
"""First frames that do not count."""

CROWD_FRAMES = 220


def association(bench: Bench) -> Report:
    """Milliseconds per frame on one core: recorded detections, and crowds of moving boxes."""
    config, rounds = bench.settings.config, bench.settings.rounds
    rows, notes = (
        [],
        ["scheduler_ms: reusing vectors and keeping the cost model, on top of p50_ms."],
    )
    if detector_kind(config.detector.det).stored:
        tape = mot_tape(config.detector, bench.settings.frames)
        for dim in (0, DIM):
            figures = on_one_core(replay_cost, tape, config, dim, rounds)
            rows.append(Row(_label(tape.title, dim), figures, Bar("p50_ms", REPLAY_BAR_MS)))
    else:
        notes.append("Give --det mot:FILE to measure on recorded detections too.")
    for people, bar_ms in BARS_MS.items():
        for dim in (0, DIM):
            figures = on_one_core(crowd_cost, config, people, dim, rounds)
            rows.append(Row(_label(f"{people} x {people}", dim), figures, Bar("p50_ms", bar_ms)))
    return Report("predict, look, plan, associate, update; one core", rows, notes)


def _label(name: str, dim: int) -> str:
    return f"{name}, {f'embeddings of {dim}' if dim else 'motion only'}"


def mot_tape(config: DetectorConfig, frames: int) -> Tape:
    """The detections of a MOT file, at 30 frames a second; `frames` is the most, 0 for all."""
    from mot_dinov3.io.formats.mot import read_mot

    detector = create_detector(config, "cpu")
    last = int(read_mot(named_files(config.det)[0]).frame_index.max(initial=-1))
    nothing = np.zeros((1, 1, 3), np.uint8)
    numbers = range(min(last + 1, frames or last + 1))
    return record((Frame(number, number / FPS, nothing) for number in numbers), detector)


def replay_cost(tape: Tape, config: TrackConfig, dim: int, rounds: int) -> Figures:
    """Figures on recorded detections; with `dim`, looks are made up by place."""
    for index, take in tape.takes.items():
        tape.takes[index] = replace(take, vectors=looks_by_place(take.detections, dim))
    return cost_of(tape, config, rounds)


def crowd_cost(config: TrackConfig, people: int, dim: int, rounds: int) -> Figures:
    """Figures on a crowd in which everybody is seen in every frame."""
    return cost_of(crowd_tape(CrowdConfig(people, dim), CROWD_FRAMES), config, rounds)


def looks_by_place(detections: Detections, dim: int) -> FloatArray:
    """(N, dim) unit rows that change smoothly with the box: neighbours in time look alike."""
    waves = np.random.default_rng(0).normal(0, 1 / 60.0, (4, dim))
    return normalise(np.sin(detections.xyxy @ waves + np.arange(dim)))


def cost_of(tape: Tape, config: TrackConfig, rounds: int) -> Figures:
    """Median, p95 and mean milliseconds of a frame, after a warm-up, over all rounds."""
    costs = [cost for _ in range(rounds) for cost in islice(_costs(tape, config), SKIPPED, None)]
    figures = summarise([track for track, _ in costs])
    return {
        "frames": len(costs),
        "boxes": round(tape.per_frame, 1),
        "p50_ms": figures["p50"],
        "p95_ms": figures["p95"],
        "mean_ms": figures["mean"],
        "scheduler_ms": summarise([scheduler for _, scheduler in costs])["p50"],
    }


def _costs(tape: Tape, config: TrackConfig) -> Iterator[tuple[float, float]]:
    """Milliseconds of tracking and of scheduling, frame by frame."""
    player = TapePlayer(tape)
    tracker = assemble(config, Models(player, player if player.dim else None))
    for frame in tape.frames():
        stages = tracker.step(frame).stage_ms
        yield stages["track"], stages["embed"] - player.spent_ms
