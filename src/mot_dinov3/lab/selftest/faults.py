"""Faults of every kind: each has its exit code, its sentence, and costs nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from mot_dinov3.errors import EXIT_OK
from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.fault_cases.base import Fault
from mot_dinov3.lab.selftest.fault_cases.commands import FAULTS as COMMANDS
from mot_dinov3.lab.selftest.fault_cases.config import FAULTS as CONFIG
from mot_dinov3.lab.selftest.fault_cases.device import FAULTS as DEVICE
from mot_dinov3.lab.selftest.fault_cases.input import FAULTS as INPUT
from mot_dinov3.lab.selftest.fault_cases.model import FAULTS as MODEL
from mot_dinov3.lab.selftest.fault_cases.output import FAULTS as OUTPUT
from mot_dinov3.lab.selftest.fault_cases.stream import FAULTS as STREAM
from mot_dinov3.lab.selftest.program import expect_code, expect_explained, run, tail
from mot_dinov3.lab.selftest.scenes import LIGHT, SelftestScene, draw_scene

FRAMES = 30
MOST_SECONDS = 60.0

KINDS = {
    "input": INPUT,
    "output": OUTPUT,
    "model": MODEL,
    "device": DEVICE,
    "stream": STREAM,
    "config": CONFIG,
    "commands": COMMANDS,
}
"""A new kind of faults is one file and one line here."""

Snapshot: TypeAlias = dict[str, bytes]


def measure_faults(context: MeasureContext) -> MeasureResult:
    """Start the command line into every fault of the table, or into a tenth of them."""
    scene = draw_scene(context.directory / "scene", FRAMES)
    words = scene.words("--no-video", "--save-jsonl", scene.frame_log)
    expect(
        run(context.program, words, context.directory).code == EXIT_OK, "a run without faults fails"
    )
    check = partial(check_fault, context, scene)
    cases = [
        SelftestCase(fault.name, partial(check, fault))
        for fault in context.choose_cases(list_faults())
    ]
    return run_cases(context, cases)


def check_fault(
    context: MeasureContext, scene: SelftestScene, fault: Fault, directory: Path
) -> None:
    """Run one fault in an empty `directory` and look at everything it left.

    Raises:
        BrokenPromiseError: another exit code, no sentence, a file lost, changed or left behind.
        CannotRunError: the fault cannot be made here.
    """
    with fault.prepare(directory, scene) as around:
        before = snapshot(directory)
        ended = run(context.program, words_of(fault, scene), directory, around)
    expect_code(ended, fault.code)
    expect_explained(ended, fault.says)
    expect(ended.seconds < MOST_SECONDS, f"it took {ended.seconds:.0f} s: {tail(ended.err)}")
    after = snapshot(directory)
    for name, content in before.items():
        expect(after.get(name) == content, f"'{name}' was changed or lost")
    new = set(after) - set(before)
    for name in fault.leaves:
        expect(name in new, f"'{name}' was not kept: there is only {sorted(new)}")
        expect(after[name], f"'{name}' is empty")
    unasked = new - set(fault.leaves)
    expect(not unasked, f"it left {sorted(unasked)} behind")


def words_of(fault: Fault, scene: SelftestScene) -> Sequence[str]:
    """The command line of a fault: `{clip}`, `{boxes}` and so on filled in."""
    light = shlex.join(LIGHT)
    clip, boxes = shlex.quote(str(scene.video)), shlex.quote(f"mot:{scene.boxes}")
    track = f"--source {clip} --det {boxes} {light}"
    journal = shlex.quote(str(scene.frame_log))
    text = fault.words.format(clip=clip, boxes=boxes, light=light, track=track, journal=journal)
    return shlex.split(text)


def snapshot(directory: Path) -> Snapshot:
    """Read every file below a directory; what is not a regular file has no content."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else b""
        for path in sorted(directory.rglob("*"))
        if not path.is_dir()
    }


def list_faults() -> tuple[Fault, ...]:
    """List every fault, kind by kind."""
    return tuple(fault for table in KINDS.values() for fault in table)
