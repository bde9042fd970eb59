"""The whole run with re-identification beside BoxMOT, which embeds every detection."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.io.formats.mot import read_mot
from mot_dinov3.lab.benchmarks.base import Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.clip import ShortClip, write_short_clip
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import count_rounds
from mot_dinov3.lab.benchmarks.own_program import TRACKS, build_own_program
from mot_dinov3.lab.benchmarks.peer_link import build_peers_environment
from mot_dinov3.lab.benchmarks.program import Program, find_last_line
from mot_dinov3.lab.benchmarks.race import Entrant, build_rows, race
from mot_dinov3.lab.benchmarks.whole_run import has_clip_and_weights
from mot_dinov3.lab.benchmarks.yolo_program import compute_input_shape, export_weights, weights_of
from mot_dinov3.lab.recordings.agreement import identity_agreement

FRAMES = 60
LEAST_RATIO = 3.0
TRACKERS = ("botsort", "deepocsort")
OURS, EVERY = "ours", "ours, --embed-all"
CONVERT_LIMIT_S = 300

WHAT_IT_NEEDS = (
    "give --source CLIP, --det WEIGHTS (a file that Ultralytics can load) and "
    "--embedder onnx --embed-model FILE (which BoxMOT takes, too)"
)


def measure_reid_run(context: BenchmarkContext) -> Report:
    """Measure frames a second of whole programs with the same detector and appearance model."""
    title = "whole runs with re-identification of persons"
    if not (has_clip_and_weights(context) and has_onnx_model(context)):
        return Report(title, [ResultRow(OURS, {}, skipped=WHAT_IT_NEEDS)])
    clip = write_short_clip(context, context.settings.frames or FRAMES)
    entrants = {
        OURS: create_own_entrant(context, clip, every=False),
        EVERY: create_own_entrant(context, clip, every=True),
        **create_boxmot_entrants(context, clip),
    }
    rounds = count_rounds(context.settings.rounds)
    race(entrants, rounds)
    ours = entrants.pop(OURS)
    bars = {label: LEAST_RATIO for label in entrants if label != EVERY}
    notes = [
        f"{rounds} rounds in turn after one that does not count; medians. ratio: our frames a "
        "second over theirs, from the first frame that is done until all is written.",
        "agreement: share of the boxes whose identity is that of --embed-all.",
        "boxmot track: --device cpu, all else as it ships; at its best the detector is an ONNX "
        "export in the shape of the clip and the appearance model is converted to OpenVINO.",
    ]
    size = f"{clip.wh[0]}x{clip.wh[1]}, input size {context.config.detector.imgsz}"
    rows = [build_own_row(ours, entrants[EVERY]), *build_rows(ours, entrants, bars)]
    return Report(f"{title}; {size}", rows, notes)


def has_onnx_model(context: BenchmarkContext) -> bool:
    """Whether the embedder is a file that BoxMOT can load."""
    embedder = context.settings.config.embedder
    return embedder.embedder == "onnx" and Path(embedder.embed_model).is_file()


def create_own_entrant(context: BenchmarkContext, clip: ShortClip, *, every: bool) -> Entrant:
    """Enter our main job on persons, scheduled or with every crop embedded."""
    config = context.config
    whole = replace(
        config,
        detector=replace(config.detector, classes="person"),
        scheduler=SchedulerConfig(embed_all=True) if every else config.scheduler,
    )
    return Entrant(
        build_own_program(whole, clip, context.directory / ("every" if every else "ours"))
    )


def build_own_row(ours: Entrant, every: Entrant) -> ResultRow:
    """Build the row of our speed and of the identities that embedding everything would give."""
    if not ours.seen:
        return ResultRow(OURS, {}, skipped=ours.problem)
    figures: Figures = ours.figures()
    if ours.program and every.program and every.seen:
        a, b = (read_mot(one.program.directory / TRACKS) for one in (ours, every) if one.program)
        figures["agreement"] = round(identity_agreement(a, b), 4)
    return ResultRow(OURS, figures)


def create_boxmot_entrants(context: BenchmarkContext, clip: ShortClip) -> dict[str, Entrant]:
    """Enter each tracker as it ships, and with the fastest models that BoxMOT takes."""
    weights, model = weights_of(context), str(Path(context.config.embedder.embed_model).absolute())
    imgsz = context.config.detector.imgsz
    height, width = compute_input_shape(clip.wh, imgsz)
    best_size = f"{height},{width}"
    best_weights, problem = export_weights(context, "onnx", best_size)
    best_model, trouble = convert_to_openvino(context, model)
    out = {}
    for name in TRACKERS:
        default = (weights, model, str(imgsz))
        out[f"boxmot {name}, its default"] = Entrant(
            build_boxmot_program(context, clip, name, default)
        )
        best = (best_weights, best_model, best_size)
        at_best = None if problem or trouble else build_boxmot_program(context, clip, name, best)
        out[f"boxmot {name}, at its best"] = Entrant(at_best, problem=problem or trouble)
    return out


def build_boxmot_program(
    context: BenchmarkContext, clip: ShortClip, name: str, models: tuple[str, str, str]
) -> Program:
    """Build `boxmot track` on the clip, persons only."""
    weights, model, size = models
    directory = context.directory / f"boxmot-{name}-{Path(weights).suffix.removeprefix('.')}"
    start = "import sys; from boxmot.engine.cli import main; sys.exit(main())"
    words = [
        "track",
        "--detector",
        weights,
        "--reid",
        model,
        "--tracker",
        name,
        "--imgsz",
        size,
        "--source",
        str(clip.path),
        "--classes",
        "0",
        "--device",
        "cpu",
        "--save",
        "--save-json",
        "--project",
        str(directory),
    ]
    return Program(
        [context.settings.peers_python, "-c", start, *words],
        directory,
        end_line="Tracking complete",
        frame_files="**/tracks.jsonl",
        environment={**build_peers_environment(), "COLUMNS": "160"},
    )


def convert_to_openvino(context: BenchmarkContext, model: str) -> tuple[str, str]:
    """Convert the appearance model to OpenVINO: (directory, "") or ("", the problem)."""
    stem = Path(model).stem
    directory = context.directory / f"{stem}_openvino_model"
    directory.mkdir(exist_ok=True)
    code = (
        "import sys, openvino; "
        "openvino.save_model(openvino.convert_model(sys.argv[1]), sys.argv[2])"
    )
    words = [context.settings.peers_python, "-c", code, model, str(directory / f"{stem}.xml")]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            env=build_peers_environment(),
            timeout=CONVERT_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", f"the appearance model could not be converted: {error}"
    if done.returncode:
        return "", f"the appearance model could not be converted: {find_last_line(done.stderr)}"
    return str(directory), ""
