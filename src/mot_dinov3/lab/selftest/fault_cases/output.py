"""Results that have no place to go, or would destroy something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mot_dinov3.errors import EXIT_OUTPUT, EXIT_USAGE
from mot_dinov3.lab.selftest.fault_cases.base import (
    Fault,
    Prepare,
    apply_change,
    change_nothing,
    lock,
    place_files,
)
from mot_dinov3.lab.selftest.program import ProcessSetup
from mot_dinov3.lab.selftest.scenes import SelftestScene

OLD = "the last good one"


def output_fault(name: str, words: str, says: str, prepare: Prepare = change_nothing) -> Fault:
    """A fault that is seen before anything is tracked."""
    return Fault(name, f"{{track}} {words}", EXIT_OUTPUT, says, prepare)


def place_old_files(*names: str) -> Prepare:
    """Place earlier results, which have to stay as they are."""
    return place_files(dict.fromkeys(names, OLD))


def copy_clip(directory: Path, scene: SelftestScene) -> None:
    """Copy the clip to `in.mp4`, and make `link.mp4` lead to it."""
    (directory / "in.mp4").write_bytes(scene.video.read_bytes())
    (directory / "link.mp4").symlink_to("in.mp4")


def copy_boxes(directory: Path, scene: SelftestScene) -> None:
    """Copy the boxes of the clip to `det.txt`."""
    (directory / "det.txt").write_bytes(scene.boxes.read_bytes())


def limit_files(limit: int, more: Prepare) -> Prepare:
    """Let no file grow beyond `limit` bytes."""

    @contextmanager
    def prepare(directory: Path, scene: SelftestScene) -> Iterator[ProcessSetup]:
        with more(directory, scene):
            yield ProcessSetup(file_limit=limit)

    return prepare


LONG = "x" * 300

FAULTS = (
    output_fault(
        "output-below-a-file", "--output f/o.mp4", "not a directory", place_files({"f": "text"})
    ),
    output_fault(
        "output-is-a-directory", "--output d.mp4", "is a directory", place_files({"d.mp4/": ""})
    ),
    output_fault(
        "output-forbidden",
        "--output d/o.mp4",
        "no permission",
        lock("d", 0o555, place_files({"d/": ""})),
    ),
    output_fault("output-name-too-long", f"--output {LONG}.mp4", "name too long"),
    output_fault("journal-name-too-long", f"--no-video --save-jsonl {LONG}.jsonl", "name too long"),
    output_fault("output-suffix-unknown", "--output o.xyz", r"Use one of: \.mp4"),
    output_fault("output-suffix-missing", "--output o", "has no suffix"),
    output_fault(
        "output-exists",
        "--output o.mp4 --no-clobber",
        "--no-clobber is set",
        place_old_files("o.mp4"),
    ),
    output_fault(
        "mot-exists",
        "--no-video --save-mot o.txt --no-clobber",
        "--no-clobber is set",
        place_old_files("o.txt"),
    ),
    output_fault(
        "journal-exists",
        "--no-video --save-jsonl o.jsonl --no-clobber",
        "--no-clobber is set",
        place_old_files("o.jsonl"),
    ),
    output_fault(
        "stats-exist",
        "--no-video --stats-json s.json --no-clobber",
        "--no-clobber is set",
        place_old_files("s.json"),
    ),
    output_fault(
        "table-exists",
        "--no-video --save-csv o.csv --no-clobber",
        "--no-clobber is set",
        place_old_files("o.csv"),
    ),
    output_fault(
        "report-exists",
        "--output o.mp4 --report r.html --no-clobber",
        "--no-clobber is set",
        place_old_files("r.html"),
    ),
    Fault(
        "output-is-input",
        "--source in.mp4 --det {boxes} {light} --output in.mp4",
        EXIT_OUTPUT,
        "is the input itself",
        apply_change(copy_clip),
    ),
    Fault(
        "output-leads-to-input",
        "--source in.mp4 --det {boxes} {light} --output link.mp4",
        EXIT_OUTPUT,
        "is the input itself",
        apply_change(copy_clip),
    ),
    Fault(
        "output-is-the-boxes",
        "--source {clip} --det mot:det.txt {light} --no-video --save-mot det.txt",
        EXIT_OUTPUT,
        "is the input itself",
        apply_change(copy_boxes),
    ),
    Fault(
        "outputs-are-one",
        "{track} --output o.mp4 --save-mot o.mp4",
        EXIT_USAGE,
        "name the same file",
    ),
    Fault("output-empty", "{track} --output ''", EXIT_USAGE, "--output is empty"),
    output_fault("disk-full-mot", "--no-video --save-mot /dev/full", "No space left"),
    output_fault("disk-full-journal", "--no-video --save-jsonl /dev/full", "No space left"),
    output_fault("disk-full-stats", "--no-video --stats-json /dev/full", "No space left"),
    Fault(
        "disk-full-video",
        "{track} --output o.mp4 --save-mot o.txt --stats-json s.json",
        EXIT_OUTPUT,
        "o.mp4': File too large",
        limit_files(7_000, place_old_files("o.mp4")),
        ("o.partial.mp4", "o.txt", "s.json", ".o.mp4.journal"),
    ),
    Fault(
        "disk-full-table",
        "{track} --no-video --save-csv o.csv --save-mot o.txt",
        EXIT_OUTPUT,
        "o.csv': File too large",
        limit_files(2_500, place_old_files("o.csv")),
        ("o.partial.csv", "o.txt", ".o.txt.journal"),
    ),
)
