"""Files that the other commands read or write: journals, recordings, results, ground truth."""

from __future__ import annotations

import shutil
from pathlib import Path

from mot_dinov3.errors import EXIT_INPUT, EXIT_OUTPUT, EXIT_USAGE
from mot_dinov3.lab.selftest.fault_cases.base import Fault, Prepare, changed, files, nothing
from mot_dinov3.lab.selftest.fault_cases.input import GARBAGE
from mot_dinov3.lab.selftest.scenes import Scene

ROW = "1,1,10,20,30,40,1,1,1\n"
DEEP = '{"frame": ' + "[" * 50_000
SETTINGS = "--det {boxes} --device cpu --embed-model demo"


def found(name: str, words: str, says: str, prepare: Prepare = nothing) -> Fault:
    """Something that a command reads is not what it should be."""
    return Fault(name, words, EXIT_INPUT, says, prepare)


def usage(name: str, words: str, says: str, prepare: Prepare = nothing) -> Fault:
    """A command is told what makes no sense."""
    return Fault(name, words, EXIT_USAGE, says, prepare)


def own_run(directory: Path, scene: Scene) -> None:
    """`in.mp4` and `j.jsonl`: the clip and the journal of a run over it."""
    shutil.copy(scene.video, directory / "in.mp4")
    shutil.copy(scene.journal, directory / "j.jsonl")


FAULTS = (
    found("eval-missing", "eval --gt g.txt --pred p.txt", "g.txt", files({"p.txt": ROW})),
    found("eval-bad-row", "eval --gt g.txt --pred p.txt", "p.txt' line 2",
          files({"g.txt": ROW, "p.txt": ROW + "1,1,a\n"})),
    found("eval-identity-twice", "eval --gt g.txt --pred p.txt", "p.txt",
          files({"g.txt": ROW, "p.txt": ROW + ROW})),
    usage("eval-metric-unknown", "eval --gt g.txt --pred g.txt --metrics mota", "mota",
          files({"g.txt": ROW})),
    Fault("eval-over-truth", "eval --gt g.txt --pred p.txt --json g.txt", EXIT_OUTPUT,
          "is the input itself", files({"g.txt": ROW, "p.txt": ROW})),
    Fault("eval-over-result", "eval --gt g.txt --pred p.txt --json p.txt", EXIT_OUTPUT,
          "is the input itself", files({"g.txt": ROW, "p.txt": ROW})),
    found("replay-nothing", "replay --cache none --out out", "none"),
    found("replay-garbage", "replay --cache c.npz --out out", "c.npz", files({"c.npz": GARBAGE})),
    found("replay-empty", "replay --cache c.npz --out out", "c.npz", files({"c.npz": b""})),
    usage("cache-nothing", "cache --out c", "--source is missing"),
    found("cache-missing", f"cache no.mp4 {SETTINGS} --out c", "no.mp4"),
    found("tune-nothing", "tune --cache none --out t.toml", "none"),
    usage("synth-unknown", "synth --preset street2 --out w", "Did you mean street"),
    usage("bench-unknown", "bench budgets", "Did you mean budget"),
    usage("selftest-unknown", "selftest kill", "Did you mean kills"),
    usage("completion-unknown", "completion fish2", "fish2"),
    found("report-missing", "report no.jsonl -o r.html", "no.jsonl"),
    found("report-garbage", "report j.jsonl -o r.html", "j.jsonl", files({"j.jsonl": GARBAGE})),
    found("report-empty", "report j.jsonl -o r.html", "j.jsonl", files({"j.jsonl": ""})),
    found("report-other-json", "report j.json -o r.html", "j.json", files({"j.json": "[1, 2]"})),
    found("report-deep-json", "report j.jsonl -o r.html", "j.jsonl", files({"j.jsonl": DEEP})),
    usage("report-over-run", "report j.jsonl -o j.jsonl", "not a name for", changed(own_run)),
    usage("render-unnamed", "render --source {clip} --output o.mp4", "--jsonl"),
    found("render-missing", "render --jsonl no.jsonl --source {clip} --output o.mp4", "no.jsonl"),
    found("render-garbage", "render --jsonl j.jsonl --source {clip} --output o.mp4", "j.jsonl",
          files({"j.jsonl": GARBAGE})),
    found("render-empty", "render --jsonl j.jsonl --source {clip} --output o.mp4", "j.jsonl",
          files({"j.jsonl": ""})),
    found("render-numbers", "render --jsonl j.jsonl --source {clip} --output o.mp4", "j.jsonl",
          files({"j.jsonl": "1\n2\n"})),
    Fault("render-over-source", "render --jsonl j.jsonl --source in.mp4 --output in.mp4",
          EXIT_OUTPUT, "is the input itself", changed(own_run)),
    Fault("render-over-journal", "render --jsonl j.jsonl --source in.mp4 --no-video "
          "--save-mot j.jsonl", EXIT_OUTPUT, "is the input itself", changed(own_run)),
    found("relink-missing", "relink --jsonl no.jsonl --embeddings no.npz --out d", "no.jsonl"),
    found("relink-garbage", "relink --jsonl j.jsonl --embeddings e.npz --out d", r"e\.npz|j\.jsonl",
          files({"j.jsonl": GARBAGE, "e.npz": GARBAGE})),
    usage("resume-nowhere", "{track} --no-video --resume", "--resume"),
    found("batch-list-empty", "--source l.txt --each --det {boxes} {light}", "l.txt",
          files({"l.txt": ""})),
    found("batch-nothing", "--source frames --each --det {boxes} {light}", "frames",
          files({"frames/": ""})),
)  # fmt: skip
