"""Files that the other commands read or write: journals, recordings, results, ground truth."""

from __future__ import annotations

import shutil
from pathlib import Path

from mot_dinov3.errors import EXIT_INPUT, EXIT_OUTPUT, EXIT_USAGE
from mot_dinov3.lab.selftest.fault_cases.base import (
    Fault,
    Prepare,
    apply_change,
    change_nothing,
    place_files,
)
from mot_dinov3.lab.selftest.fault_cases.input import GARBAGE
from mot_dinov3.lab.selftest.scenes import SelftestScene

ROW = "1,1,10,20,30,40,1,1,1\n"
DEEP = '{"frame": ' + "[" * 50_000
SETTINGS = "--det {boxes} --device cpu --embed-model demo"


def input_fault(name: str, words: str, says: str, prepare: Prepare = change_nothing) -> Fault:
    """Something that a command reads is not what it should be."""
    return Fault(name, words, EXIT_INPUT, says, prepare)


def usage_fault(name: str, words: str, says: str, prepare: Prepare = change_nothing) -> Fault:
    """A command line that makes no sense."""
    return Fault(name, words, EXIT_USAGE, says, prepare)


def copy_run(directory: Path, scene: SelftestScene) -> None:
    """Copy the clip to `in.mp4` and the frame log of a run over it to `j.jsonl`."""
    shutil.copy(scene.video, directory / "in.mp4")
    shutil.copy(scene.frame_log, directory / "j.jsonl")


FAULTS = (
    input_fault(
        "eval-missing", "eval --gt g.txt --pred p.txt", "g.txt", place_files({"p.txt": ROW})
    ),
    input_fault(
        "eval-bad-row",
        "eval --gt g.txt --pred p.txt",
        "p.txt' line 2",
        place_files({"g.txt": ROW, "p.txt": ROW + "1,1,a\n"}),
    ),
    input_fault(
        "eval-identity-twice",
        "eval --gt g.txt --pred p.txt",
        "p.txt",
        place_files({"g.txt": ROW, "p.txt": ROW + ROW}),
    ),
    usage_fault(
        "eval-metric-unknown",
        "eval --gt g.txt --pred g.txt --metrics mota",
        "mota",
        place_files({"g.txt": ROW}),
    ),
    Fault(
        "eval-over-truth",
        "eval --gt g.txt --pred p.txt --json g.txt",
        EXIT_OUTPUT,
        "is the input itself",
        place_files({"g.txt": ROW, "p.txt": ROW}),
    ),
    Fault(
        "eval-over-result",
        "eval --gt g.txt --pred p.txt --json p.txt",
        EXIT_OUTPUT,
        "is the input itself",
        place_files({"g.txt": ROW, "p.txt": ROW}),
    ),
    input_fault("replay-nothing", "replay --cache none --out out", "none"),
    input_fault(
        "replay-garbage", "replay --cache c.npz --out out", "c.npz", place_files({"c.npz": GARBAGE})
    ),
    input_fault(
        "replay-empty", "replay --cache c.npz --out out", "c.npz", place_files({"c.npz": b""})
    ),
    usage_fault("cache-nothing", "cache --out c", "--source is missing"),
    input_fault("cache-missing", f"cache no.mp4 {SETTINGS} --out c", "no.mp4"),
    input_fault("tune-nothing", "tune --cache none --out t.toml", "none"),
    usage_fault("synth-unknown", "synth --preset street2 --out w", "Did you mean street"),
    usage_fault("bench-unknown", "bench budgets", "Did you mean budget"),
    usage_fault("selftest-unknown", "selftest kill", "Did you mean kills"),
    usage_fault("completion-unknown", "completion fish2", "fish2"),
    input_fault("report-missing", "report no.jsonl -o r.html", "no.jsonl"),
    input_fault(
        "report-garbage", "report j.jsonl -o r.html", "j.jsonl", place_files({"j.jsonl": GARBAGE})
    ),
    input_fault(
        "report-empty", "report j.jsonl -o r.html", "j.jsonl", place_files({"j.jsonl": ""})
    ),
    input_fault(
        "report-other-json", "report j.json -o r.html", "j.json", place_files({"j.json": "[1, 2]"})
    ),
    input_fault(
        "report-deep-json", "report j.jsonl -o r.html", "j.jsonl", place_files({"j.jsonl": DEEP})
    ),
    usage_fault(
        "report-over-run", "report j.jsonl -o j.jsonl", "not a name for", apply_change(copy_run)
    ),
    usage_fault("render-unnamed", "render --source {clip} --output o.mp4", "--jsonl"),
    input_fault(
        "render-missing", "render --jsonl no.jsonl --source {clip} --output o.mp4", "no.jsonl"
    ),
    input_fault(
        "render-garbage",
        "render --jsonl j.jsonl --source {clip} --output o.mp4",
        "j.jsonl",
        place_files({"j.jsonl": GARBAGE}),
    ),
    input_fault(
        "render-empty",
        "render --jsonl j.jsonl --source {clip} --output o.mp4",
        "j.jsonl",
        place_files({"j.jsonl": ""}),
    ),
    input_fault(
        "render-numbers",
        "render --jsonl j.jsonl --source {clip} --output o.mp4",
        "j.jsonl",
        place_files({"j.jsonl": "1\n2\n"}),
    ),
    Fault(
        "render-over-source",
        "render --jsonl j.jsonl --source in.mp4 --output in.mp4",
        EXIT_OUTPUT,
        "is the input itself",
        apply_change(copy_run),
    ),
    Fault(
        "render-over-journal",
        "render --jsonl j.jsonl --source in.mp4 --no-video --save-mot j.jsonl",
        EXIT_OUTPUT,
        "is the input itself",
        apply_change(copy_run),
    ),
    input_fault(
        "relink-missing", "relink --jsonl no.jsonl --embeddings no.npz --out d", "no.jsonl"
    ),
    input_fault(
        "relink-garbage",
        "relink --jsonl j.jsonl --embeddings e.npz --out d",
        r"e\.npz|j\.jsonl",
        place_files({"j.jsonl": GARBAGE, "e.npz": GARBAGE}),
    ),
    usage_fault("resume-nowhere", "{track} --no-video --resume", "--resume"),
    input_fault(
        "batch-list-empty",
        "--source l.txt --each --det {boxes} {light}",
        "l.txt",
        place_files({"l.txt": ""}),
    ),
    input_fault(
        "batch-nothing",
        "--source frames --each --det {boxes} {light}",
        "frames",
        place_files({"frames/": ""}),
    ),
)
