"""The whole run beside `yolo track`: decode, detect, track by motion, draw, encode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, Row
from mot_dinov3.lab.benchmarks.clip import ShortClip, short_clip
from mot_dinov3.lab.benchmarks.context import Bench
from mot_dinov3.lab.benchmarks.own_program import own_program
from mot_dinov3.lab.benchmarks.race import Entrant, race, rows_beside
from mot_dinov3.lab.benchmarks.rounds import ratio_figures, rounds_of
from mot_dinov3.lab.benchmarks.yolo_program import (
    export,
    input_shape,
    weights_of,
    yolo_program,
)

FRAMES, WIDTH = 150, 768
FIRST_FRAME_S = 4.0

OURS = "ours"
TORCH = "yolo track, its default (torch)"
SQUARE = "yolo track, its OpenVINO export"
BEST = "yolo track, its OpenVINO export in the shape of the clip"
BARS = {TORCH: 2.5, SQUARE: 1.0, BEST: 1.0}

WHAT_IT_NEEDS = "give --source CLIP and --det WEIGHTS (a file that Ultralytics can load)"


def whole_run(bench: Bench) -> Report:
    """Frames a second of whole programs on the same clip, weights and input size, in turn."""
    title = "whole runs by motion alone: decode, detect, track, draw, encode"
    if not has_clip_and_weights(bench):
        return Report(title, [Row(OURS, {}, skipped=WHAT_IT_NEEDS)])
    clip = short_clip(bench, bench.settings.frames or FRAMES, WIDTH)
    entrants = {OURS: own_entrant(bench, clip), **yolo_entrants(bench, clip)}
    rounds = rounds_of(bench.settings.rounds)
    race(entrants, rounds)
    ours = entrants.pop(OURS)
    notes = [
        f"{rounds} rounds in turn after one that does not count; medians. ratio: our frames a "
        "second over theirs, from the first frame that is done until all is written.",
        "first_frame_s: from the command to the first frame, exported models cached.",
        "yolo track: tracker bytetrack, save=True, on the CPU, all else as it ships.",
    ]
    size = f"{clip.wh[0]}x{clip.wh[1]}, input size {bench.config.detector.imgsz}"
    return Report(f"{title}; {size}", race_rows(ours, entrants), notes)


def has_clip_and_weights(bench: Bench) -> bool:
    """Whether there are a source and a weights file that other programs could load, too."""
    config = bench.settings.config
    return bool(config.source.source) and Path(config.detector.det).is_file()


def own_entrant(bench: Bench, clip: ShortClip) -> Entrant:
    """Our main job without an embedder."""
    config = bench.config
    motion = replace(config, embedder=replace(config.embedder, embedder="none"))
    return Entrant(own_program(motion, clip, bench.directory / "ours"))


def race_rows(ours: Entrant, others: Mapping[str, Entrant]) -> list[Row]:
    """Ours, the others beside it, and the time to the first frame."""
    bar = Bar("first_frame_s", FIRST_FRAME_S)
    own = Row(OURS, ours.figures(), bar) if ours.seen else Row(OURS, {}, skipped=ours.problem)
    rows = [own, *rows_beside(ours, others, BARS)]
    torch = others[TORCH]
    if ours.seen and torch.seen:
        figures: Figures = ratio_figures(ours.first_s, torch.first_s, "ratio")
        rows.append(Row("first frame, ours over yolo track", figures, Bar("ratio", 1.0)))
    return rows


def yolo_entrants(bench: Bench, clip: ShortClip) -> dict[str, Entrant]:
    """`yolo track` with the weights as they are, and with two OpenVINO exports of them."""
    imgsz = bench.config.detector.imgsz
    square, shaped = (imgsz, imgsz), input_shape(clip.wh, imgsz)
    entrants = {TORCH: Entrant(yolo_program(bench, clip, weights_of(bench), str(imgsz), "torch"))}
    for label, shape in ((SQUARE, square), (BEST, shaped)):
        size = f"{shape[0]},{shape[1]}"
        model, problem = export(bench, "openvino", size)
        if problem:
            entrants[label] = Entrant(problem=problem)
        else:
            program = yolo_program(bench, clip, model, size, f"openvino-{shape[0]}")
            entrants[label] = Entrant(program)
    return entrants
