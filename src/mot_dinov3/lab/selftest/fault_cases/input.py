"""Sources and other files to read that are missing, damaged or something else."""

from __future__ import annotations

import os
import wave
from pathlib import Path

from mot_dinov3.errors import EXIT_INPUT, EXIT_PARTIAL
from mot_dinov3.lab.selftest.fault_cases.base import (
    Fault,
    Prepare,
    apply_change,
    change_nothing,
    lock,
    place_files,
)
from mot_dinov3.lab.selftest.scenes import SelftestScene

MOTION = "--det motion --embedder none --device cpu"
KEEP = "--output o.mp4 --save-mot o.txt --save-jsonl o.jsonl --stats-json s.json"
KEPT = ("o.mp4", "o.txt", "o.jsonl", "s.json")
GARBAGE = bytes((17 * i * i + 29) % 251 for i in range(20_000))


def cut_clip(share: float) -> Prepare:
    """Write `in.mp4`: the clip without its end, which has the index."""

    def make(directory: Path, scene: SelftestScene) -> None:
        data = scene.video.read_bytes()
        (directory / "in.mp4").write_bytes(data[: int(len(data) * share)])

    return apply_change(make)


def punch_holes(directory: Path, scene: SelftestScene) -> None:
    """Write `in.mp4`: the clip with zeros where some of its pictures were."""
    data = bytearray(scene.video.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 8] = bytes(len(data) // 8)
    (directory / "in.mp4").write_bytes(data)


def write_silence(directory: Path, scene: SelftestScene) -> None:
    """Write `in.wav`: a second of silence."""
    with wave.open(str(directory / "in.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))


def link_in_circle(directory: Path, scene: SelftestScene) -> None:
    """Make `in.mp4` a link to itself."""
    (directory / "in.mp4").symlink_to("in.mp4")


def make_pipe(directory: Path, scene: SelftestScene) -> None:
    """Make `in.mp4` a pipe into which no program writes."""
    os.mkfifo(directory / "in.mp4")


def place_two_clips(directory: Path, scene: SelftestScene) -> None:
    """Copy the clip to `a.mp4` and `b.mp4`."""
    for name in ("a.mp4", "b.mp4"):
        (directory / name).write_bytes(scene.video.read_bytes())


def input_fault(name: str, words: str, says: str, prepare: Prepare = change_nothing) -> Fault:
    """A fault for which nothing is tracked and nothing written."""
    return Fault(name, words, EXIT_INPUT, says, prepare)


def boxes_fault(name: str, text: str, says: str) -> Fault:
    """A fault in the boxes that are replayed."""
    words = "--source {clip} --det mot:bad.txt {light}"
    return input_fault(name, words, says, place_files({"bad.txt": text}))


SOURCE = f"--source in.mp4 {MOTION}"

FAULTS = (
    input_fault("input-missing", f"--source no.mp4 {MOTION}", "'no.mp4' does not exist"),
    input_fault(
        "input-misspelt",
        f"--source walks.mp4 {MOTION}",
        "Did you mean 'walk.mp4'",
        place_files({"walk.mp4": b"x"}),
    ),
    input_fault("input-nowhere", f"--source no/no.mp4 {MOTION}", "neither does its directory"),
    input_fault("input-name-too-long", f"--source {'x' * 300}.mp4 {MOTION}", "name too long"),
    input_fault("input-empty", SOURCE, "is empty", place_files({"in.mp4": b""})),
    input_fault("input-garbage", SOURCE, "is not a video", place_files({"in.mp4": GARBAGE})),
    input_fault(
        "input-text", SOURCE, "is not a video", place_files({"in.mp4": "these are words\n" * 9})
    ),
    input_fault("input-cut-to-nothing", SOURCE, "Copy or record it again", cut_clip(0.02)),
    Fault("input-cut", f"{SOURCE} {KEEP}", EXIT_INPUT, "Copy or record it again", cut_clip(0.6)),
    Fault(
        "input-holed",
        f"--source in.mp4 --det {{boxes}} {{light}} {KEEP}",
        EXIT_PARTIAL,
        "damaged",
        apply_change(punch_holes),
        KEPT,
    ),
    input_fault(
        "input-circle", SOURCE, "cannot be read|does not exist", apply_change(link_in_circle)
    ),
    input_fault("input-pipe", SOURCE, "not a regular file", apply_change(make_pipe)),
    input_fault("input-forbidden", SOURCE, "may not be read", lock("in.mp4", 0, cut_clip(1.0))),
    input_fault(
        "input-sound",
        f"--source in.wav {MOTION}",
        "not a video|no video stream",
        apply_change(write_silence),
    ),
    input_fault(
        "input-unsupported",
        f"--source in.docx {MOTION}",
        "is not a video",
        place_files({"in.docx": b"PK\x03\x04" + GARBAGE}),
    ),
    input_fault(
        "images-none", f"--source frames {MOTION}", "has no images", place_files({"frames/": ""})
    ),
    input_fault(
        "images-broken",
        f"--source frames {MOTION}",
        "frames",
        place_files({"frames/000001.jpg": GARBAGE, "frames/000002.jpg": GARBAGE}),
    ),
    input_fault("glob-nothing", f"--source 'no_*.jpg' {MOTION}", "Nothing matches"),
    input_fault(
        "glob-videos", f"--source '?.mp4' {MOTION}", "not images", apply_change(place_two_clips)
    ),
    input_fault("webcam-missing", f"--source 77 {MOTION}", "Webcam 77 cannot be opened"),
    input_fault(
        "start-after-end", "{track} --start-frame 500 --no-video", "before --start-frame 500"
    ),
    input_fault("sequence-missing", "--source mot:none --det {boxes} {light}", "does not exist"),
    input_fault("sequence-nameless", "--source mot: --det {boxes} {light}", "names no directory"),
    input_fault(
        "sequence-empty",
        "--source mot:seq --det {boxes} {light}",
        "seqinfo",
        place_files({"seq/": ""}),
    ),
    input_fault(
        "sequence-broken",
        "--source mot:seq --det {boxes} {light}",
        "seqinfo",
        place_files({"seq/seqinfo.ini": "[Sequence]\nimWidth=wide\n"}),
    ),
    input_fault("boxes-missing", "--source {clip} --det mot:no.txt {light}", "no.txt"),
    boxes_fault("boxes-words", "1,-1,10,20,30\nhello\n", "bad.txt"),
    boxes_fault("boxes-not-finite", "1,-1,nan,20,30,40,0.9\n", "bad.txt"),
    boxes_fault("boxes-frame-zero", "0,-1,10,20,30,40,0.9\n", "bad.txt"),
)
