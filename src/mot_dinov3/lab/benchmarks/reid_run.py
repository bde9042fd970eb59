"""The whole run with re-identification beside BoxMOT, which embeds every detection."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

from mot_dinov3.io.formats.mot import read_mot
from mot_dinov3.lab.benchmarks.base import Figures, Report, Row
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.benchmarks.clip import ShortClip, short_clip
from mot_dinov3.lab.benchmarks.own_program import TRACKS, own_program
from mot_dinov3.lab.benchmarks.peer_link import peers_environment
from mot_dinov3.lab.benchmarks.program import Program, last_words
from mot_dinov3.lab.benchmarks.race import Entrant, race, rows_beside
from mot_dinov3.lab.benchmarks.rounds import rounds_of
from mot_dinov3.lab.benchmarks.whole_run import has_clip_and_weights
from mot_dinov3.lab.benchmarks.yolo_program import export, input_shape, weights_of
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


def reid_run(bench: Bench) -> Report:
    """Frames a second of whole programs with the same detector and the same appearance model."""
    title = "whole runs with re-identification of persons"
    if not (has_clip_and_weights(bench) and has_onnx_model(bench)):
        return Report(title, [Row(OURS, {}, skipped=WHAT_IT_NEEDS)])
    clip = short_clip(bench, bench.settings.frames or FRAMES)
    entrants = {
        OURS: own_entrant(bench, clip, every=False),
        EVERY: own_entrant(bench, clip, every=True),
        **boxmot_entrants(bench, clip),
    }
    rounds = rounds_of(bench.settings.rounds)
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
    size = f"{clip.wh[0]}x{clip.wh[1]}, input size {bench.config.detector.imgsz}"
    rows = [own_row(ours, entrants[EVERY]), *rows_beside(ours, entrants, bars)]
    return Report(f"{title}; {size}", rows, notes)


def has_onnx_model(bench: Bench) -> bool:
    """Whether the embedder is a file that BoxMOT can load."""
    embedder = bench.settings.config.embedder
    return embedder.embedder == "onnx" and Path(embedder.embed_model).is_file()


def own_entrant(bench: Bench, clip: ShortClip, *, every: bool) -> Entrant:
    """Our main job on persons, scheduled or with every crop embedded."""
    config = bench.config
    whole = replace(
        config,
        detector=replace(config.detector, classes="person"),
        scheduler=replace(config.scheduler, embed_all=every),
    )
    return Entrant(own_program(whole, clip, bench.directory / ("every" if every else "ours")))


def own_row(ours: Entrant, every: Entrant) -> Row:
    """Our speed, and how far the identities are those of embedding everything."""
    if not ours.seen:
        return Row(OURS, {}, skipped=ours.problem)
    figures: Figures = ours.figures()
    if ours.program and every.program and every.seen:
        a, b = (read_mot(one.program.directory / TRACKS) for one in (ours, every) if one.program)
        figures["agreement"] = round(identity_agreement(a, b), 4)
    return Row(OURS, figures)


def boxmot_entrants(bench: Bench, clip: ShortClip) -> dict[str, Entrant]:
    """Each tracker as it ships, and with the fastest models that BoxMOT takes."""
    weights, model = weights_of(bench), str(Path(bench.config.embedder.embed_model).absolute())
    imgsz = bench.config.detector.imgsz
    height, width = input_shape(clip.wh, imgsz)
    best_size = f"{height},{width}"
    best_weights, problem = export(bench, "onnx", best_size)
    best_model, trouble = to_openvino(bench, model)
    out = {}
    for name in TRACKERS:
        default = (weights, model, str(imgsz))
        out[f"boxmot {name}, its default"] = Entrant(boxmot_program(bench, clip, name, default))
        best = (best_weights, best_model, best_size)
        at_best = None if problem or trouble else boxmot_program(bench, clip, name, best)
        out[f"boxmot {name}, at its best"] = Entrant(at_best, problem=problem or trouble)
    return out


def boxmot_program(
    bench: Bench, clip: ShortClip, name: str, models: tuple[str, str, str]
) -> Program:
    """`boxmot track` on the clip, persons only; models are detector, appearance and input size."""
    weights, model, size = models
    directory = bench.directory / f"boxmot-{name}-{Path(weights).suffix.removeprefix('.')}"
    start = "import sys; from boxmot.engine.cli import main; sys.exit(main())"
    words = ["track", "--detector", weights, "--reid", model, "--tracker", name, "--imgsz", size,
             "--source", str(clip.path), "--classes", "0", "--device", "cpu", "--save",
             "--save-json", "--project", str(directory)]  # fmt: skip
    return Program(
        [bench.settings.peers_python, "-c", start, *words],
        directory,
        end_line="Tracking complete",
        frame_files="**/tracks.jsonl",
        environment={**peers_environment(), "COLUMNS": "160"},
    )


def to_openvino(bench: Bench, model: str) -> tuple[str, str]:
    """The appearance model as OpenVINO has it: (directory, "") or ("", the problem)."""
    stem = Path(model).stem
    directory = bench.directory / f"{stem}_openvino_model"
    directory.mkdir(exist_ok=True)
    code = ("import sys, openvino; "
            "openvino.save_model(openvino.convert_model(sys.argv[1]), sys.argv[2])")  # fmt: skip
    words = [bench.settings.peers_python, "-c", code, model, str(directory / f"{stem}.xml")]
    try:
        done = subprocess.run(words, capture_output=True, text=True, env=peers_environment(),
                              timeout=CONVERT_LIMIT_S, check=False)  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", f"the appearance model could not be converted: {error}"
    if done.returncode:
        return "", f"the appearance model could not be converted: {last_words(done.stderr)}"
    return str(directory), ""
