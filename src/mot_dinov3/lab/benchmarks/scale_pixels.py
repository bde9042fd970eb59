"""Cost and memory of decoding, drawing, encoding and detecting for more and more pixels."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from time import perf_counter

import numpy as np

from mot_dinov3.config import SourceConfig
from mot_dinov3.lab.benchmarks.base import Figures, ResultRow
from mot_dinov3.lab.benchmarks.clip import ShortClip, write_short_clip
from mot_dinov3.lab.benchmarks.context import BenchmarkContext, BenchmarkSettings
from mot_dinov3.lab.benchmarks.figures import drop_unknown, fit_exponent
from mot_dinov3.lab.benchmarks.machine import memory_mb, run_on_one_core
from mot_dinov3.lab.benchmarks.overhead import run_pass
from mot_dinov3.lab.benchmarks.whole_run import has_clip_and_weights
from mot_dinov3.lab.recordings.clip import RecordedClip
from mot_dinov3.runtime.cpu import peak_mb
from mot_dinov3.values import Detections, FloatArray

WIDTHS = {"480p": 854, "720p": 1280, "1080p": 1920, "4K": 3840}
FRAMES = 45
STAGES = {"read": "read_ms", "draw": "draw_ms", "encode": "encode_ms"}
DETECT = "detect_ms"


def measure_pixels(context: BenchmarkContext) -> list[ResultRow]:
    """Measure a row for each picture size, and how each stage grows with the number of pixels."""
    with_weights = has_clip_and_weights(context)
    settings = context.settings
    if not with_weights:  # the drawn street has exact boxes, and needs no weights
        drawn = replace(settings.config, source=SourceConfig())
        settings = replace(settings, config=drawn)
    settings = replace(settings, frames=min(settings.frames or FRAMES, FRAMES))
    base = BenchmarkContext(settings)
    rows, pixels = [], []
    for name, width in WIDTHS.items():
        clip = write_short_clip(base, settings.frames, width)
        recorded = scale_clip(base.recorded, clip)
        figures = run_on_one_core(measure_pixel_cost, settings, clip, recorded, with_weights)
        rows.append(ResultRow(f"{name}, {clip.wh[0]}x{clip.wh[1]}", figures))
        pixels.append(float(clip.wh[0] * clip.wh[1]))
        clip.path.unlink()
    names = dict.fromkeys(name for row in rows for name in row.figures)
    growth = {
        name: round(fit_exponent(pixels, [row.figures.get(name, 0.0) for row in rows]), 3)
        for name in names
    }
    label = "growth with pixels"
    skipped = "" if with_weights else "give --source CLIP and --det WEIGHTS (a file)"
    rows.append(ResultRow(label, drop_unknown(growth)))
    return rows if with_weights else [*rows, ResultRow("detector by pixels", {}, skipped=skipped)]


def scale_clip(recorded: RecordedClip, clip: ShortClip) -> RecordedClip:
    """Scale the detections to the pictures of a clip."""
    out = RecordedClip(recorded.title, recorded.names, frame_wh=clip.wh)
    factor = clip.wh[0] / recorded.frame_wh[0]
    for number, frame in recorded.frames.items():
        seen = frame.detections
        boxes: FloatArray = (seen.xyxy * factor).astype(np.float32)
        moved = Detections(boxes, seen.score, seen.class_id)
        out.frames[number] = replace(frame, detections=moved)
    return out


def measure_pixel_cost(
    settings: BenchmarkSettings, clip: ShortClip, recorded: RecordedClip, detect: bool
) -> Figures:
    """Measure the median milliseconds of each stage on one clip, and its peak memory."""
    config = replace(settings.config, source=SourceConfig(str(clip.path)))
    context = BenchmarkContext(replace(settings, config=config))
    context.__dict__["recorded"] = recorded
    _ = context.device  # loads torch, whose memory is none that pictures take
    before_mb = memory_mb()
    _, stage_ms = run_pass(context)
    figures = {label: _median(stage_ms[stage]) for stage, label in STAGES.items()}
    figures["peak_mb"] = round(peak_mb() - before_mb, 1)
    if detect:
        figures[DETECT] = time_detection(context)
    return drop_unknown(figures)


def time_detection(context: BenchmarkContext, frames: int = 12) -> float:
    """Measure the median milliseconds of a detection, after a warm-up."""
    spent_ms: list[float] = []
    with context.open_reader() as reader:
        for frame in islice(reader, frames):
            if not spent_ms:
                context.detector.warm_up(frame.width, frame.height)
            started = perf_counter()
            context.detector.detect(frame)
            spent_ms.append((perf_counter() - started) * 1000)
    return _median(spent_ms)


def _median(samples: list[float]) -> float:
    return round(float(np.median(samples)), 3) if samples else float("nan")
