"""Files and directories that strangers made: no code, but no end, no bounds, or no good names."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_PARTIAL, EXIT_USAGE
from mot_dinov3.lab.selftest.clips import ClipKind, make_clip
from mot_dinov3.lab.selftest.traps import Traps
from mot_dinov3.perception.assets import demo_embedder_path

LOOK = ("--det", "motion", "--embedder", "none", "--device", "cpu", "--no-video")
TRACK = ("--source", "{clip}", "--det", "{boxes}", "--device", "cpu", "--embedder", "none")
SEQUENCE = "[Sequence]\nname=x\nimDir=img1\nframeRate=25\nseqLength=3\nimWidth=64\nimHeight=48\n"
TERABYTE = 1 << 40
ANY_READING = (EXIT_OK, EXIT_INPUT, EXIT_PARTIAL)

Plant: TypeAlias = Callable[[Path, Traps], Sequence[str]]
"""Writes the files into a directory and returns the command line that meets them."""


@dataclass(frozen=True, slots=True)
class HostileInput:
    """Something that a run meets and has to survive.

    Attributes:
        name: unique in its table.
        codes: the exit codes that are right.
        plant: makes it; in its words `{clip}` is a good clip, `{boxes}` its detections.
    """

    name: str
    codes: tuple[int, ...]
    plant: Plant


def plant_variables(text: str, *words: str) -> Plant:
    """Plant a `.env` with `{url}` for an address where calls are counted."""

    def plant(directory: Path, traps: Traps) -> Sequence[str]:
        lines = text.format(url=traps.url, place=directory / "secret")
        (directory / ".env").write_text(lines, encoding="utf-8")
        for name in ("a.mp4", "b.mp4"):
            shutil.copy(traps.secret.with_name("clip.mp4"), directory / name)
        return words

    return plant


def plant_modules(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant modules of Python beside videos, under names that workers import."""
    for name in ("multiprocessing", "selectors", "pickle", "cv2", "av", "numpy"):
        (directory / f"{name}.py").write_text(f"open({str(traps.marker)!r}, 'w')\n")
    return plant_variables("", *BATCH)(directory, traps)


def plant_picture(make: Callable[[Path], None], name: str, *, sequence: bool) -> Plant:
    """Plant something under the name of a picture between two good ones."""

    def plant(directory: Path, traps: Traps) -> Sequence[str]:
        place = directory / "seq" / "img1"
        place.mkdir(parents=True)
        for number in (1, 2):
            cv2.imwrite(str(place / f"00000{number}.png"), np.full((48, 64, 3), 90, np.uint8))
        if sequence:
            (place.parent / "seqinfo.ini").write_text(SEQUENCE + "imExt=.png\n")
        make(place / name)
        return ("--source", "seq" if sequence else "seq/img1", *LOOK)

    return plant


def plant_text(name: str, text: str, *words: str) -> Plant:
    """Plant a text."""

    def plant(directory: Path, traps: Traps) -> Sequence[str]:
        (directory / name).write_text(text, encoding="utf-8")
        return words

    return plant


def plant_endless(name: str, *words: str) -> Plant:
    """Plant a link to a device that never ends."""

    def plant(directory: Path, traps: Traps) -> Sequence[str]:
        (directory / name).symlink_to("/dev/zero")
        return words

    return plant


def plant_model(**settings: object) -> Plant:
    """Plant the demo embedder with other settings in its `config.json`."""

    def plant(directory: Path, traps: Traps) -> Sequence[str]:
        shutil.copytree(demo_embedder_path(), directory / "model")
        path = directory / "model" / "config.json"
        known = json.loads(path.read_text(encoding="utf-8"))
        text = json.dumps(known | settings)
        inner = '{"a":' * 50_000 + "1" + "}" * 50_000
        path.write_text(text.replace('"nested"', inner), encoding="utf-8")
        return (*TRACK[:-1], "dino", "--embed-model", "model", "--no-video")

    return plant


def plant_crowd(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant 2500 boxes a frame that all but lie on each other."""
    shift = np.random.default_rng(0).uniform(0, 0.4, (3, 2500, 2))
    rows = [
        f"{frame + 1},-1,{left + 9:.2f},{top + 9:.2f},40,60,0.9"
        for frame in range(3)
        for left, top in shift[frame]
    ]
    (directory / "crowd.txt").write_text("\n".join(rows))
    return (*TRACK[:3], "mot:crowd.txt", *TRACK[4:], "--no-video", "--max-frames", "3")


def plant_other_codec(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant a stream whose pictures are coded in another way from the middle on."""
    kinds = (ClipKind("a.ts", codec="mpeg2video"), ClipKind("b.ts", codec="libx264"))
    parts = [make_clip(directory / kind.name, kind, 12, (64, 48)) for kind in kinds]
    (directory / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    return ("--source", "both.ts", *LOOK)


def plant_list(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant a list of videos that has no end in sight."""
    make_sparse(directory / "all.txt")
    return ("--source", "all.txt", *LOOK)


def make_sparse(path: Path) -> None:
    """Make a file of a terabyte that takes no room."""
    path.touch()
    os.truncate(path, TERABYTE)


def make_socket(path: Path) -> None:
    """Make a socket; its address may not be long."""
    with socket.socket(socket.AF_UNIX) as server:
        place = os.open(path.parent, os.O_RDONLY)
        try:
            server.bind(f"/proc/self/fd/{place}/{path.name}")
        finally:
            os.close(place)


def make_endless(path: Path) -> None:
    """Make a link to a device that never ends."""
    path.symlink_to("/dev/urandom")


def make_picture(path: Path) -> None:
    """Make a picture under whatever name."""
    good = path.with_name("000001.png")
    shutil.copy(good, path)


BATCH = ("--source", "a.mp4", "b.mp4", "--workers", "2", *LOOK)
HUB = ("--embedder", "dino", "--embed-model", "some/model", "--no-video")
STEER = "n\x1b[2J\u202e\u009b8m\nerror: "

HOSTILE_INPUTS = (
    HostileInput("env-home", (EXIT_OK,), plant_variables("PYTHONHOME={place}\n", *BATCH)),
    HostileInput("env-preload", (EXIT_OK,), plant_variables("LD_AUDIT=/no.so\n", *BATCH)),
    HostileInput("env-setting", (EXIT_OK,), plant_variables("MOT_DET=x.pt\nMOT_CONF=7\n", *BATCH)),
    HostileInput(
        "env-proxy",
        (EXIT_MODEL,),
        plant_variables("HTTPS_PROXY={url}\nALL_PROXY={url}\n", *TRACK[:-2], *HUB),
    ),
    HostileInput("modules", (EXIT_OK,), plant_modules),
    HostileInput(
        "picture-socket", ANY_READING, plant_picture(make_socket, "000003.png", sequence=True)
    ),
    HostileInput(
        "picture-endless", ANY_READING, plant_picture(make_endless, "000003.png", sequence=False)
    ),
    HostileInput(
        "picture-sparse", ANY_READING, plant_picture(make_sparse, "000003.png", sequence=True)
    ),
    HostileInput("picture-folder", ANY_READING, plant_picture(Path.mkdir, "3.png", sequence=False)),
    HostileInput(
        "picture-number",
        (EXIT_INPUT,),
        plant_picture(make_picture, "18446744073709551617.png", sequence=True),
    ),
    HostileInput(
        "picture-circled",
        (EXIT_OK,),
        plant_picture(make_picture, "\u2460\u2461.png", sequence=False),
    ),
    HostileInput(
        "boxes-endless", (EXIT_INPUT,), plant_endless("d.txt", *TRACK[:3], "mot:d.txt", *LOOK[2:])
    ),
    HostileInput(
        "boxes-line",
        (EXIT_INPUT,),
        plant_text("d.txt", "1," * 3_000_000, *TRACK[:3], "mot:d.txt", *LOOK[2:]),
    ),
    HostileInput(
        "boxes-class",
        (EXIT_INPUT,),
        plant_text("d.txt", "1,-1,1,1,9,9,1,1e300,1\n", *TRACK[:3], "mot:d.txt", *LOOK[2:]),
    ),
    HostileInput("boxes-crowd", (EXIT_OK,), plant_crowd),
    HostileInput(
        "settings-endless", (EXIT_USAGE,), plant_endless("c.toml", "--config", "c.toml", *TRACK)
    ),
    HostileInput(
        "settings-dotted",
        (EXIT_USAGE,),
        plant_text("c.toml", ".".join(["a"] * 20_000) + " = 1", "--config", "c.toml", *TRACK),
    ),
    HostileInput(
        "settings-number",
        (EXIT_USAGE,),
        plant_text("c.toml", f"max_frames = {10**40}", "--config", "c.toml", *TRACK),
    ),
    HostileInput(
        "steer-key",
        (EXIT_USAGE,),
        plant_text("c.toml", '"\\u009b2J\\u202eb" = 1', "--config", "c.toml", *TRACK),
    ),
    HostileInput("steer-name", (EXIT_OK,), plant_text("x", "", *TRACK, "--output", f"{STEER}.mp4")),
    HostileInput("list-sparse", (EXIT_INPUT,), plant_list),
    HostileInput("stream-codec", ANY_READING, plant_other_codec),
    HostileInput("model-wide", (EXIT_MODEL,), plant_model(hidden_size=100_000)),
    HostileInput("model-negative", (EXIT_MODEL,), plant_model(patch_size=-14)),
    HostileInput("model-nested", (EXIT_MODEL,), plant_model(inside="nested")),
)
