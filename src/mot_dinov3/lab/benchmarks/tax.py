"""What tracking takes from the detector's speed: the whole run beside detection alone."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np

from mot_dinov3.lab.benchmarks.base import Bar, Report, ResultRow
from mot_dinov3.lab.benchmarks.clip import write_short_clip
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import compare_rounds, count_rounds
from mot_dinov3.lab.benchmarks.own_program import build_own_program
from mot_dinov3.lab.benchmarks.program import ProgramError, watch
from mot_dinov3.perception.detectors.factory import detector_kind

FRAMES = 150
BUDGET_MS = 20.0
LEAST_SHARE = 0.8
OURS = f"whole run, --embed-budget-ms {BUDGET_MS:g}"

WHAT_IT_NEEDS = "give --source CLIP and --det WEIGHTS, as recorded detections cost nothing"


def measure_tax(context: BenchmarkContext) -> Report:
    """Measure frames a second of the whole run over those of the detector alone, in turn."""
    title = "what tracking takes from the detector's speed"
    config = context.settings.config
    if not config.source.source or detector_kind(config.detector.det).stored:
        return Report(title, [ResultRow(OURS, {}, skipped=WHAT_IT_NEEDS)])
    clip = write_short_clip(context, context.settings.frames or FRAMES)
    config = replace(
        context.config,
        scheduler=replace(config.scheduler, budget_ms=BUDGET_MS),
        source=replace(config.source, source=str(clip.path)),
    )
    program = build_own_program(config, clip, context.directory / "tax")
    alone = BenchmarkContext(replace(context.settings, config=config))
    whole_fps: list[float] = []
    alone_fps: list[float] = []
    rounds = count_rounds(context.settings.rounds)
    try:
        for turn in range(rounds + 1):
            seen, fps = watch(program), measure_detection_fps(alone)
            if turn:
                whole_fps.append(seen.fps)
                alone_fps.append(fps)
    except ProgramError as error:
        return Report(title, [ResultRow(OURS, {}, skipped=str(error))])
    share = compare_rounds(whole_fps, alone_fps, "share")
    rows = [
        ResultRow("detector alone", {"frames": clip.frames, "fps": median(alone_fps)}),
        ResultRow(
            OURS,
            {"frames": clip.frames, "fps": median(whole_fps)} | share,
            Bar("share", LEAST_SHARE, at_least=True),
        ),
    ]
    notes = [
        f"{rounds} rounds in turn after one that does not count; medians. The detector alone has "
        "its frames decoded beforehand: it is the most that any run could reach.",
    ]
    size = f"{clip.wh[0]}x{clip.wh[1]}, {context.detector.title}; {context.embedder.title}"
    return Report(f"{title}; {size}", rows, notes)


def measure_detection_fps(context: BenchmarkContext) -> float:
    """Measure frames a second of detection, decoding not counted, after a warm-up."""
    spent_s = 0.0
    count = 0
    with context.open_reader() as reader:
        for frame in reader:
            if not count:
                context.detector.warm_up(frame.width, frame.height)
            started = perf_counter()
            context.detector.detect(frame)
            spent_s += perf_counter() - started
            count += 1
    return count / spent_s


def median(values: list[float]) -> float:
    """The median, rounded."""
    return round(float(np.median(values)), 2)
