"""Everything but detector and embedder, through the loop of the main job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np

from mot_dinov3.config import OutputConfig
from mot_dinov3.io.write.writer import VideoWriter
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.recordings.clip import ClipPlayer
from mot_dinov3.outputs.sinks.factory import create_sinks
from mot_dinov3.outputs.sinks.video import VideoSink
from mot_dinov3.runs.loop import run
from mot_dinov3.runtime.distribution import summarise
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models

WORK_MS = 4.0
COUNTED = ("read", "track", "draw", "write")
SKIPPED = 5
"""First frames that pay for opening things."""


def measure_overhead(context: BenchmarkContext) -> Report:
    """Reading, planning, association, drawing and encoding, in milliseconds a frame."""
    stage_ms: dict[str, list[float]] = {}
    frames, cpu_ms, size = len(context.recorded), [], (0, 0)
    for _ in range(context.settings.rounds):
        began_s = process_time()
        size, measured = run_pass(context)
        cpu_ms.append((process_time() - began_s) * 1000 / frames)
        for stage, samples in measured.items():
            stage_ms.setdefault(stage, []).extend(samples)
    rows = [ResultRow(stage, _summarise(samples)) for stage, samples in stage_ms.items()]
    loop = {stage: stage_ms[stage] for stage in COUNTED}
    rows.append(ResultRow("loop", sum_stages(loop)))
    rows.append(ResultRow("loop + encode", sum_stages(stage_ms), Bar("p50_ms", WORK_MS)))
    rows.append(ResultRow("all threads", {"processor_ms": round(float(np.median(cpu_ms)), 3)}))
    notes = [
        "encode runs in a thread of its own, beside the loop: its time adds to the work, but not "
        "to a frame's latency. Waiting for the encoder is counted nowhere. processor_ms is what "
        "the whole process used a frame, the threads that decode included."
    ]
    return Report(f"at {size[0]}x{size[1]}: {context.clip_title}", rows, notes)


def run_pass(context: BenchmarkContext) -> tuple[tuple[int, int], dict[str, list[float]]]:
    """Track the clip from recorded detections and write the video; frame size and stages."""
    output = OutputConfig(output=str(context.directory / "overhead.mp4"))
    config = replace(context.config, output=output)
    player = ClipPlayer(context.recorded)
    timer = StageTimer()
    with context.open_reader() as reader:
        sinks = create_sinks(config, reader.info, player.names, timer)
        outcome = run(reader, assemble(config, Models(player)), sinks, timer)
    if outcome.error is not None:
        raise outcome.error
    stages = outcome.statistics.stage_ms
    measured = {name: list(stages[name].samples)[SKIPPED:] for name in COUNTED}
    writer = next(sink.writer for sink in sinks if isinstance(sink, VideoSink))
    measured["write"] = subtract_waits(measured["write"], writer)
    measured["encode"] = list(writer.encode_ms.samples)[SKIPPED:]
    Path(output.output).unlink(missing_ok=True)
    return outcome.frame_size, measured


def subtract_waits(write_ms: list[float], writer: VideoWriter) -> list[float]:
    """Compute the loop's part of writing, without the time it only waited for the encoder."""
    waits = list(writer.queue_wait_ms.samples)[SKIPPED:]
    return [max(0.0, ms - wait) for ms, wait in zip(write_ms, waits, strict=True)]


def sum_stages(stage_ms: dict[str, list[float]]) -> Figures:
    """Add up all stages, frame by frame, and summarise the sums."""
    length = min((len(samples) for samples in stage_ms.values()), default=0)
    columns = [np.asarray(samples[:length]) for samples in stage_ms.values()]
    return _summarise([float(ms) for ms in np.sum(columns, axis=0)] if length else [])


def _summarise(samples: list[float]) -> Figures:
    figures = summarise(samples)
    return {
        "frames": len(samples),
        "mean_ms": figures["mean"],
        "p50_ms": figures["p50"],
        "p95_ms": figures["p95"],
    }
