"""Files that were made to do harm: nothing in them runs, and they open no other file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.malicious_models import MODEL_TRICKS
from mot_dinov3.lab.selftest.malicious_sources import SOURCE_TRICKS
from mot_dinov3.lab.selftest.program import expect_code, expect_explained, run
from mot_dinov3.lab.selftest.scenes import SelftestScene, draw_scene
from mot_dinov3.lab.selftest.traps import Trick, set_traps

FRAMES = 12


def measure_malice(context: MeasureContext) -> MeasureResult:
    """Hand every trick to the command line, and look whether one of them works."""
    scene = draw_scene(context.directory / "scene", FRAMES)
    tricks = (*SOURCE_TRICKS, *MODEL_TRICKS)
    return run_cases(
        context,
        [SelftestCase(trick.name, partial(check_trick, context, scene, trick)) for trick in tricks],
    )


def check_trick(
    context: MeasureContext, scene: SelftestScene, trick: Trick, directory: Path
) -> None:
    """Run one trick in an empty `directory`.

    Raises:
        BrokenPromiseError: code ran, another file was opened, an address was called, or it was
            not refused in words where it has to be.
        CannotRunError: the trick needs something that is not here.
    """
    with set_traps(directory, scene.video) as placed:
        words = trick.prepare(directory, placed)
        words = [word.format(clip=scene.video, boxes=f"mot:{scene.boxes}") for word in words]
        ended = run(context.program, words, directory)
        expect_code(ended, trick.code)
        if trick.code:
            expect_explained(ended, ".")
    left = [path.name for path in directory.iterdir() if path.name.startswith("o.")]
    expect(bool(left) == (trick.code == 0), f"it left {left}")
