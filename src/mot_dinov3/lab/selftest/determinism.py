"""The same clip twice, the second time on a busy machine: the outputs are the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mot_dinov3.data.synthetic.presets.factory import PRESETS
from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.program import expect_code, run

CLIPS = 20
FRAMES = 40
BUDGET_CROPS = 3
DEMO = ("--det", "demo", "--embed-model", "demo", "--device", "cpu")
VIDEO, TABLE, LINES = "o.mp4", "o.txt", "o.jsonl"
MEASURED = ("latency_ms", "stage_ms", "fps")
"""Keys of a frame log that measure time; `_ms` in its counts is left out as well."""


def measure_determinism(context: MeasureContext) -> MeasureResult:
    """Track worlds twice with a budget of crops, the second time under load."""
    worlds = [f"synthetic:{name}:{seed}" for seed in range(CLIPS) for name in PRESETS]
    chosen = worlds[: context.count_cases(CLIPS)]
    return run_cases(
        context,
        [
            SelftestCase(world.replace(":", "-"), partial(check_twice, context, world, DEMO))
            for world in chosen
        ],
    )


def check_twice(
    context: MeasureContext, source: str, models: tuple[str, ...], directory: Path
) -> None:
    """Run twice, alone and under load, and compare what was written.

    Raises:
        BrokenPromiseError: a run failed, or an output differs.
    """
    alone = track_once(context, source, models, directory / "alone")
    with keep_processors_busy():
        loaded = track_once(context, source, models, directory / "loaded")
    for name, content in alone.items():
        expect(
            content == loaded[name], f"{name} differs: {describe_difference(content, loaded[name])}"
        )
    expect(alone[TABLE], "no person was tracked, so nothing was compared")


def track_once(
    context: MeasureContext, source: str, models: tuple[str, ...], directory: Path
) -> dict[str, bytes]:
    """Run once; returns the outputs by name, the frame log without measured times."""
    directory.mkdir()
    words = [
        "--source",
        source,
        *models,
        "--embed-budget-crops",
        BUDGET_CROPS,
        "--max-frames",
        FRAMES,
        "--output",
        VIDEO,
        "--save-mot",
        TABLE,
        "--save-jsonl",
        LINES,
    ]
    expect_code(run(context.program, words, directory), 0)
    found = {name: (directory / name).read_bytes() for name in (VIDEO, TABLE, LINES)}
    lines = map(json.loads, found[LINES].splitlines())
    return found | {LINES: "\n".join(json.dumps(drop_times(line)) for line in lines).encode()}


def drop_times(record: dict[str, Any]) -> dict[str, Any]:
    """Drop what a clock decides from a line of a frame log."""
    embed = {key: value for key, value in record["embed"].items() if not key.endswith("_ms")}
    return {key: value for key, value in record.items() if key not in MEASURED} | {"embed": embed}


def describe_difference(one: bytes, other: bytes) -> str:
    """Say in words where two contents part."""
    for number, (line, twin) in enumerate(zip(one.split(b"\n"), other.split(b"\n"), strict=False)):
        if line != twin:
            return f"line {number + 1} is {line[:80]!r}, then {twin[:80]!r}"
    return f"{len(one)} bytes, then {len(other)}"


@contextmanager
def keep_processors_busy() -> Iterator[None]:
    """Run one more endless computation than this machine has processors."""
    with ExitStack() as stack:
        for _ in range((os.cpu_count() or 1) + 1):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield
