"""Runs that are asked to stop, at random: they finish their outputs and say how they ended."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mot_dinov3.errors import EXIT_OK, EXIT_SIGINT, EXIT_SIGTERM
from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import BrokenPromiseError, SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.moments import (
    Moment,
    choose_finishing_moment,
    choose_running_moment,
    choose_starting_moment,
    wait_for,
)
from mot_dinov3.lab.selftest.outputs import expect_consistent, is_new, outputs_of, words_for
from mot_dinov3.lab.selftest.program import ProcessResult, end, start, tail
from mot_dinov3.lab.selftest.scenes import SelftestScene, draw_scene

OF_EACH = 50
FRAMES = 200
LIGHT_START_S, HEAVY_START_S = 0.8, 1.8
MODELS = (
    *("--det", "demo", "--imgsz", "256", "--max-frames", "20"),
    *("--embedder", "dino", "--embed-model", "demo"),
)
CODES = {signal.SIGINT: EXIT_SIGINT, signal.SIGTERM: EXIT_SIGTERM}


@dataclass(frozen=True, slots=True)
class Stop:
    """One stopped run.

    Attributes:
        number: the signal.
        moment: when it comes.
        words: more of its command line; later words win.
    """

    number: signal.Signals
    moment: Moment
    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.number.name, str(self.moment), *self.words))


def measure_signals(context: MeasureContext) -> MeasureResult:
    """Stop runs by SIGINT and SIGTERM while they start, load models, track and finish."""
    scene = draw_scene(context.directory / "scene", FRAMES)
    numbers = range(context.count_cases(OF_EACH))
    names = [f"{kind.name[3:].lower()}-{number:03d}" for number in numbers for kind in CODES]
    return run_cases(
        context, [SelftestCase(name, partial(check_stop, context, scene)) for name in names]
    )


def choose_stop(context: MeasureContext, name: str) -> Stop:
    """Choose the random stop of a case."""
    rng = context.create_rng(f"signal {name}")
    number = signal.Signals[f"SIG{name.partition('-')[0].upper()}"]
    kind = rng.random()
    if kind < 0.2:
        return Stop(number, choose_starting_moment(rng, HEAVY_START_S), MODELS)
    words = ("--no-overlap",) if rng.random() < 0.3 else ()
    if kind < 0.4:
        return Stop(number, choose_starting_moment(rng, LIGHT_START_S), words)
    about = choose_finishing_moment if kind < 0.6 else choose_running_moment
    return Stop(number, about(rng, FRAMES), words)


def check_stop(context: MeasureContext, scene: SelftestScene, directory: Path) -> None:
    """Stop a run and look at its end and its outputs.

    Raises:
        BrokenPromiseError: a wrong exit code, a traceback, or an output that is not whole.
    """
    stop, outputs = choose_stop(context, directory.name), dict(outputs_of())
    if stop.words == MODELS:  # the models detect no object in this clip
        del outputs["--save-mot"]
    words = scene.words(*words_for(outputs), *stop.words)
    process = start(context.program, words, directory)
    wait_for(stop.moment, process, directory / "o.partial.jsonl")
    process.send_signal(stop.number)
    ended = end(process)
    try:
        expect_stopped(ended, stop.number)
        expect_consistent(directory, outputs)
        finished = is_new(directory / outputs["--output"])
        expect(finished or ended.code != EXIT_OK, f"exit code 0, but no output: {tail(ended.err)}")
    except BrokenPromiseError as error:
        raise BrokenPromiseError(f"{error} ({stop})") from error


def expect_stopped(ended: ProcessResult, number: signal.Signals) -> None:
    """Go on only when a process ended as one that was stopped does, or as one that was done.

    A process that dies of a signal that it does not handle yet is the same for a shell: 128 and
    the signal's number.

    Raises:
        BrokenPromiseError: another exit code, or a traceback.
    """
    allowed = (EXIT_OK, CODES[number], -number)
    expect(ended.code in allowed, f"exit code {ended.code}: {tail(ended.err)}")
    expect("Traceback" not in ended.err, f"a traceback is shown: {tail(ended.err)}")
