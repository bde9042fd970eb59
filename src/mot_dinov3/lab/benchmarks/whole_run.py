"""The whole run beside `yolo track`: decode, detect, track by motion, draw, encode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.clip import ShortClip, write_short_clip
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import compare_rounds, count_rounds
from mot_dinov3.lab.benchmarks.own_program import build_own_program
from mot_dinov3.lab.benchmarks.race import Entrant, build_rows, race
from mot_dinov3.lab.benchmarks.yolo_program import (
    build_yolo_program,
    compute_input_shape,
    export_weights,
    weights_of,
)

FRAMES, WIDTH = 150, 768
FIRST_FRAME_S = 4.0

OURS = "ours"
TORCH = "yolo track, its default (torch)"
SQUARE = "yolo track, its OpenVINO export"
BEST = "yolo track, its OpenVINO export in the shape of the clip"
BARS = {TORCH: 2.5, SQUARE: 1.0, BEST: 1.0}

WHAT_IT_NEEDS = "give --source CLIP and --det WEIGHTS (a file that Ultralytics can load)"


def measure_whole_run(context: BenchmarkContext) -> Report:
    """Measure frames a second of whole programs on the same clip, weights and input size."""
    title = "whole runs by motion alone: decode, detect, track, draw, encode"
    if not has_clip_and_weights(context):
        return Report(title, [ResultRow(OURS, {}, skipped=WHAT_IT_NEEDS)])
    clip = write_short_clip(context, context.settings.frames or FRAMES, WIDTH)
    entrants = {OURS: create_own_entrant(context, clip), **create_yolo_entrants(context, clip)}
    rounds = count_rounds(context.settings.rounds)
    race(entrants, rounds)
    ours = entrants.pop(OURS)
    notes = [
        f"{rounds} rounds in turn after one that does not count; medians. ratio: our frames a "
        "second over theirs, from the first frame that is done until all is written.",
        "first_frame_s: from the command to the first frame, exported models cached.",
        "yolo track: tracker bytetrack, save=True, on the CPU, all else as it ships.",
    ]
    size = f"{clip.wh[0]}x{clip.wh[1]}, input size {context.config.detector.imgsz}"
    return Report(f"{title}; {size}", build_race_rows(ours, entrants), notes)


def has_clip_and_weights(context: BenchmarkContext) -> bool:
    """Whether there are a source and a weights file that other programs could load, too."""
    config = context.settings.config
    return bool(config.source.source) and Path(config.detector.det).is_file()


def create_own_entrant(context: BenchmarkContext, clip: ShortClip) -> Entrant:
    """Enter our main job without an embedder."""
    config = context.config
    motion = replace(config, embedder=replace(config.embedder, embedder="none"))
    return Entrant(build_own_program(motion, clip, context.directory / "ours"))


def build_race_rows(ours: Entrant, others: Mapping[str, Entrant]) -> list[ResultRow]:
    """Build the rows of ours, of the others beside it, and of the time to the first frame."""
    bar = Bar("first_frame_s", FIRST_FRAME_S)
    own = (
        ResultRow(OURS, ours.figures(), bar)
        if ours.seen
        else ResultRow(OURS, {}, skipped=ours.problem)
    )
    rows = [own, *build_rows(ours, others, BARS)]
    torch = others[TORCH]
    if ours.seen and torch.seen:
        figures: Figures = compare_rounds(ours.first_s, torch.first_s, "ratio")
        rows.append(ResultRow("first frame, ours over yolo track", figures, Bar("ratio", 1.0)))
    return rows


def create_yolo_entrants(context: BenchmarkContext, clip: ShortClip) -> dict[str, Entrant]:
    """Enter `yolo track` with the weights as they are, and with two OpenVINO exports of them."""
    imgsz = context.config.detector.imgsz
    square, shaped = (imgsz, imgsz), compute_input_shape(clip.wh, imgsz)
    entrants = {
        TORCH: Entrant(build_yolo_program(context, clip, weights_of(context), str(imgsz), "torch"))
    }
    for label, shape in ((SQUARE, square), (BEST, shaped)):
        size = f"{shape[0]},{shape[1]}"
        model, problem = export_weights(context, "openvino", size)
        if problem:
            entrants[label] = Entrant(problem=problem)
        else:
            program = build_yolo_program(context, clip, model, size, f"openvino-{shape[0]}")
            entrants[label] = Entrant(program)
    return entrants
