"""What tracking takes from the detector's speed: the whole run beside detection alone."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np

from mot_dinov3.lab.benchmarks.base import Bar, Report, Row
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.benchmarks.clip import short_clip
from mot_dinov3.lab.benchmarks.own_program import own_program
from mot_dinov3.lab.benchmarks.program import ProgramError, watch
from mot_dinov3.lab.benchmarks.rounds import ratio_figures, rounds_of
from mot_dinov3.perception.detectors.factory import detector_kind

FRAMES = 150
BUDGET_MS = 20.0
LEAST_SHARE = 0.8
OURS = f"whole run, --embed-budget-ms {BUDGET_MS:g}"

WHAT_IT_NEEDS = "give --source CLIP and --det WEIGHTS, as recorded detections cost nothing"


def tax(bench: Bench) -> Report:
    """Frames a second of the whole run over those of the detector alone, in turn."""
    title = "what tracking takes from the detector's speed"
    config = bench.settings.config
    if not config.source.source or detector_kind(config.detector.det).stored:
        return Report(title, [Row(OURS, {}, skipped=WHAT_IT_NEEDS)])
    clip = short_clip(bench, bench.settings.frames or FRAMES)
    config = replace(bench.config, scheduler=replace(config.scheduler, budget_ms=BUDGET_MS),
                     source=replace(config.source, source=str(clip.path)))  # fmt: skip
    program = own_program(config, clip, bench.directory / "tax")
    alone = Bench(replace(bench.settings, config=config))
    whole_fps: list[float] = []
    alone_fps: list[float] = []
    rounds = rounds_of(bench.settings.rounds)
    try:
        for turn in range(rounds + 1):
            seen, fps = watch(program), detection_fps(alone)
            if turn:
                whole_fps.append(seen.fps)
                alone_fps.append(fps)
    except ProgramError as error:
        return Report(title, [Row(OURS, {}, skipped=str(error))])
    share = ratio_figures(whole_fps, alone_fps, "share")
    rows = [
        Row("detector alone", {"frames": clip.frames, "fps": middle(alone_fps)}),
        Row(OURS, {"frames": clip.frames, "fps": middle(whole_fps)} | share,
            Bar("share", LEAST_SHARE, at_least=True)),
    ]  # fmt: skip
    notes = [
        f"{rounds} rounds in turn after one that does not count; medians. The detector alone has "
        "its frames decoded beforehand: it is the most that any run could reach.",
    ]
    size = f"{clip.wh[0]}x{clip.wh[1]}, {bench.detector.title}; {bench.embedder.title}"
    return Report(f"{title}; {size}", rows, notes)


def detection_fps(bench: Bench) -> float:
    """Frames a second of detection, decoding not counted, after a warm-up."""
    spent_s = 0.0
    count = 0
    with bench.reader() as reader:
        for frame in reader:
            if not count:
                bench.detector.warm_up(frame.width, frame.height)
            started = perf_counter()
            bench.detector.detect(frame)
            spent_s += perf_counter() - started
            count += 1
    return count / spent_s


def middle(values: list[float]) -> float:
    """The median, rounded."""
    return round(float(np.median(values)), 2)
