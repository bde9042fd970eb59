"""Faults of every kind: each has its exit code, its sentence, and costs nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from mot_dinov3.errors import EXIT_OK
from mot_dinov3.lab.selftest.base import Bench, Outcome
from mot_dinov3.lab.selftest.cases import Case, expect, run_cases
from mot_dinov3.lab.selftest.fault_cases.base import Fault
from mot_dinov3.lab.selftest.fault_table import all_faults
from mot_dinov3.lab.selftest.program import expect_code, expect_explained, run, tail
from mot_dinov3.lab.selftest.scenes import LIGHT, Scene, draw_scene

FRAMES = 30
MOST_SECONDS = 60.0

Snapshot: TypeAlias = dict[str, bytes]


def faults(bench: Bench) -> Outcome:
    """Start the command line into every fault of the table, or into a tenth of them."""
    scene = draw_scene(bench.directory / "scene", FRAMES)
    words = scene.words("--no-video", "--save-jsonl", scene.journal)
    expect(run(bench.program, words, bench.directory).code == EXIT_OK, "a run without faults fails")
    check = partial(check_fault, bench, scene)
    cases = [Case(fault.name, partial(check, fault)) for fault in bench.some(all_faults())]
    return run_cases(bench, cases)


def check_fault(bench: Bench, scene: Scene, fault: Fault, directory: Path) -> None:
    """Run one fault in an empty `directory` and look at everything it left.

    Raises:
        BrokenPromiseError: another exit code, no sentence, a file lost, changed or left behind.
        CannotRunError: the fault cannot be made here.
    """
    with fault.prepare(directory, scene) as around:
        before = snapshot(directory)
        ended = run(bench.program, words_of(fault, scene), directory, around)
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


def words_of(fault: Fault, scene: Scene) -> Sequence[str]:
    """The command line of a fault: `{clip}`, `{boxes}` and so on filled in."""
    light = shlex.join(LIGHT)
    clip, boxes = shlex.quote(str(scene.video)), shlex.quote(f"mot:{scene.boxes}")
    track = f"--source {clip} --det {boxes} {light}"
    journal = shlex.quote(str(scene.journal))
    text = fault.words.format(clip=clip, boxes=boxes, light=light, track=track, journal=journal)
    return shlex.split(text)


def snapshot(directory: Path) -> Snapshot:
    """The content of every file below a directory; what is no regular file has none."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else b""
        for path in sorted(directory.rglob("*"))
        if not path.is_dir()
    }
