"""Results that have no place to go, or would destroy something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mot_dinov3.errors import EXIT_OUTPUT, EXIT_USAGE
from mot_dinov3.lab.selftest.fault_cases.base import (
    Fault,
    Prepare,
    changed,
    files,
    locked,
    nothing,
)
from mot_dinov3.lab.selftest.program import Surroundings
from mot_dinov3.lab.selftest.scenes import Scene

OLD = "the last good one"


def output(name: str, words: str, says: str, prepare: Prepare = nothing) -> Fault:
    """A fault that is seen before anything is tracked."""
    return Fault(name, f"{{track}} {words}", EXIT_OUTPUT, says, prepare)


def old_files(*names: str) -> Prepare:
    """Earlier results, which have to stay as they are."""
    return files(dict.fromkeys(names, OLD))


def own_clip(directory: Path, scene: Scene) -> None:
    """`in.mp4`, and `link.mp4` that leads to it."""
    (directory / "in.mp4").write_bytes(scene.video.read_bytes())
    (directory / "link.mp4").symlink_to("in.mp4")


def own_boxes(directory: Path, scene: Scene) -> None:
    """`det.txt`: the boxes of the clip."""
    (directory / "det.txt").write_bytes(scene.boxes.read_bytes())


def small_files(limit: int, more: Prepare) -> Prepare:
    """No file may grow beyond `limit` bytes."""

    @contextmanager
    def prepare(directory: Path, scene: Scene) -> Iterator[Surroundings]:
        with more(directory, scene):
            yield Surroundings(file_limit=limit)

    return prepare


LONG = "x" * 300

FAULTS = (
    output("output-below-a-file", "--output f/o.mp4", "not a directory", files({"f": "text"})),
    output("output-is-a-directory", "--output d.mp4", "is a directory", files({"d.mp4/": ""})),
    output(
        "output-forbidden",
        "--output d/o.mp4",
        "no permission",
        locked("d", 0o555, files({"d/": ""})),
    ),
    output("output-name-too-long", f"--output {LONG}.mp4", "name too long"),
    output("journal-name-too-long", f"--no-video --save-jsonl {LONG}.jsonl", "name too long"),
    output("output-suffix-unknown", "--output o.xyz", r"Use one of: \.mp4"),
    output("output-suffix-missing", "--output o", "has no suffix"),
    output(
        "output-exists", "--output o.mp4 --no-clobber", "--no-clobber is set", old_files("o.mp4")
    ),
    output(
        "mot-exists",
        "--no-video --save-mot o.txt --no-clobber",
        "--no-clobber is set",
        old_files("o.txt"),
    ),
    output(
        "journal-exists",
        "--no-video --save-jsonl o.jsonl --no-clobber",
        "--no-clobber is set",
        old_files("o.jsonl"),
    ),
    output(
        "stats-exist",
        "--no-video --stats-json s.json --no-clobber",
        "--no-clobber is set",
        old_files("s.json"),
    ),
    output(
        "table-exists",
        "--no-video --save-csv o.csv --no-clobber",
        "--no-clobber is set",
        old_files("o.csv"),
    ),
    output(
        "report-exists",
        "--output o.mp4 --report r.html --no-clobber",
        "--no-clobber is set",
        old_files("r.html"),
    ),
    Fault(
        "output-is-input",
        "--source in.mp4 --det {boxes} {light} --output in.mp4",
        EXIT_OUTPUT,
        "is the input itself",
        changed(own_clip),
    ),
    Fault(
        "output-leads-to-input",
        "--source in.mp4 --det {boxes} {light} --output link.mp4",
        EXIT_OUTPUT,
        "is the input itself",
        changed(own_clip),
    ),
    Fault(
        "output-is-the-boxes",
        "--source {clip} --det mot:det.txt {light} --no-video --save-mot det.txt",
        EXIT_OUTPUT,
        "is the input itself",
        changed(own_boxes),
    ),
    Fault(
        "outputs-are-one",
        "{track} --output o.mp4 --save-mot o.mp4",
        EXIT_USAGE,
        "name the same file",
    ),
    Fault("output-empty", "{track} --output ''", EXIT_USAGE, "--output is empty"),
    output("disk-full-mot", "--no-video --save-mot /dev/full", "No space left"),
    output("disk-full-journal", "--no-video --save-jsonl /dev/full", "No space left"),
    output("disk-full-stats", "--no-video --stats-json /dev/full", "No space left"),
    Fault(
        "disk-full-video",
        "{track} --output o.mp4 --save-mot o.txt --stats-json s.json",
        EXIT_OUTPUT,
        "o.mp4': File too large",
        small_files(7_000, old_files("o.mp4")),
        ("o.partial.mp4", "o.txt", "s.json", ".o.mp4.journal"),
    ),
    Fault(
        "disk-full-table",
        "{track} --no-video --save-csv o.csv --save-mot o.txt",
        EXIT_OUTPUT,
        "o.csv': File too large",
        small_files(2_500, old_files("o.csv")),
        ("o.partial.csv", "o.txt", ".o.txt.journal"),
    ),
)
