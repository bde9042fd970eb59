"""`python cli.py train`: learn what a recipe says, on the engine of `training/`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands.flags import add_flags, resolve
from mot_dinov3.commands.member_parser import MEMBER, MemberParser, format_members
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.commands.train_crops import prepare_crops
from mot_dinov3.config.fields import flag_fields
from mot_dinov3.config.flat import kinds_of
from mot_dinov3.errors import EXIT_OK, UsageError
from mot_dinov3.runtime.signals import StopRequest, choose_exit_code
from mot_dinov3.training.recipes.base import Suite
from mot_dinov3.training.recipes.factory import RECIPES, recipe_class
from mot_dinov3.training.settings import TRACKIO, TrainingRun
from mot_dinov3.wording import program, usage_name

if TYPE_CHECKING:
    from mot_dinov3.training.engine import StepReport, TrainingResult, Watch
    from mot_dinov3.training.recipes.base import Recipe

DESCRIPTION = """Train a model as a recipe says. A run has a folder with its log (log.jsonl), its
curve (curve.html) and its best and last checkpoint; a run that was interrupted or killed goes on
with --resume and ends as if it had not been."""

LINE_EVERY_S = 5.0


def parser() -> argparse.ArgumentParser:
    """The recipes, each with the flags of its run and its own."""
    return MemberParser(
        RECIPES,
        add_member_flags,
        prog=usage_name("train"),
        synopsis=f"{usage_name('train')} RECIPE [FLAG ...]",
        description=DESCRIPTION,
    )


def add_member_flags(parser: CommandParser, name: str) -> None:
    """Add the flags of the recipe `name`, those of a run first."""
    for settings in (TrainingRun, recipe_class(name)):
        shown = [item.metadata["flag"] for item in flag_fields(settings)]
        add_flags(parser, settings, common=shown)
    if "amp" in kinds_of(recipe_class(name)):
        parser.add_argument(
            "--accelerate",
            dest="amp",
            action="store_const",
            const="auto",
            default=argparse.SUPPRESS,
            help="the same as --amp auto",
        )
    parser.add_argument("--debug", action="store_true", help="show full tracebacks")


def run(args: argparse.Namespace) -> int:
    """Train as the flags say, or list the recipes; the exit code tells how it ended."""
    chosen = dict(vars(args))
    name = chosen.pop(MEMBER)
    if not name:
        print(f"Choose a recipe: {program()} train RECIPE\n{format_members(RECIPES)}")
        return EXIT_OK
    del chosen["debug"]
    place = {key: chosen.pop(key) for key in kinds_of(TrainingRun) if key in chosen}
    place, chosen = place_run(name, place, chosen)
    where = resolve(TrainingRun, place)
    where = replace(where, out=where.out or f"outputs/train-{name}")
    member: Any = resolve(recipe_class(name), chosen)
    with StopRequest().handle_signals() as stop:
        if isinstance(member, Suite):
            over = train_parts(name, member, where, stop)
        else:
            over = train_recipe(prepare_crops(member, where.out), where, stop)
    if over:
        return EXIT_OK
    more = "" if where.resume else " and --resume"
    print(
        f"Stopped; the state is saved. Go on with: the same command{more} (--out {where.out}).",
        file=sys.stderr,
    )
    return choose_exit_code(stop.signal)


def place_run(
    name: str, place: dict[str, Any], chosen: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make sense of the folder that `--resume` names.

    Args:
        name: of the recipe.
        place: values of the flags of a run; `resume` is the folder, or True where none is named.
        chosen: values of the recipe's own flags.

    Returns:
        Both again. A recipe that learns on from another run begins with its checkpoint, in a
        folder of its own; any other goes on in the one that was named.

    Raises:
        UsageError: `--out` names another folder to go on in.
    """
    folder = place.get("resume")
    if not isinstance(folder, str):
        return place, chosen
    begin = getattr(recipe_class(name), "begin_from", None)
    learned = begin(chosen, folder) if begin else None
    if learned is not None:
        return {"out": learned.out, **place, "resume": True}, learned.chosen
    if place.get("out", folder) != folder:
        raise UsageError(
            f"--resume {folder} and --out {place['out']} name two folders.",
            fix="Give one of them: --resume DIR goes on with the run in DIR.",
        )
    return {**place, "out": folder, "resume": True}, chosen


def train_recipe(recipe: Recipe[Any, Any], where: TrainingRun, stop: StopRequest) -> bool:
    """Train one recipe and print what it reached; returns whether it is over."""
    from mot_dinov3.runtime.device import choose_device
    from mot_dinov3.training.engine import train
    from mot_dinov3.training.processes import are_launched, launch

    if where.processes > 1 and not are_launched():
        launch(where.processes, choose_device(where.device))
    with TrainingBar() as bar, open_report(recipe, where) as log:

        def watch(report: StepReport) -> None:
            bar(report)
            log(report)

        result = train(recipe, where, watch, stop.wanted)
    if result.over:
        print(format_result(result))
    return result.over


@contextmanager
def open_report(recipe: Recipe[Any, Any], where: TrainingRun) -> Iterator[Watch]:
    """What hears of every step beside the progress bar.

    Raises:
        ModelError: trackio was asked for and is not installed.
    """
    from mot_dinov3.training.engine import ignore

    if where.report != TRACKIO:
        yield ignore
        return
    from mot_dinov3.training.trackio_log import TrackioLog

    with TrackioLog(recipe, where) as log:
        yield log


def train_parts(name: str, suite: Suite, where: TrainingRun, stop: StopRequest) -> bool:
    """Train the parts of a suite side by side, then measure them; returns whether all are over.

    Raises:
        UsageError: several processes were asked for.
    """
    from pathlib import Path

    from mot_dinov3.training.suite import train_suite

    if where.processes > 1:
        raise UsageError(
            f"'{name}' has a process for each of its parts and takes no --processes.",
            fix="Leave --processes out.",
        )
    results = train_suite(suite, name, where, TrainingLines, stop.wanted)
    if not all(result.over for result in results.values()):
        return False
    minutes = max(result.seconds for result in results.values()) / 60
    print(f"Trained in {minutes:.1f} minutes; measuring ...", flush=True)
    for path in suite.finish(Path(where.out), minutes):
        print(path)
    return True


def format_result(result: TrainingResult) -> str:
    """How a run ended, in two lines for people."""
    lines = [f"{result.step} of {result.steps} steps in {result.seconds / 60:.1f} minutes"]
    if result.best is not None:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in result.best.values.items())
        lines.append(f"best at step {result.best_step}: {figures}")
    return "\n".join([*lines, str(result.out)])


def format_report(report: StepReport) -> str:
    """What was logged after a step, in a few words."""
    entry = report.entry or {}
    figures = {**entry.get("terms", {}), **entry.get("evaluation", {})}
    return " ".join(f"{name} {value:.4g}" for name, value in figures.items())


class TrainingLines:
    """Prints a line now and then: for a part of a suite, and where there is no terminal."""

    def __init__(self, name: str = "") -> None:
        self._name = f"{name} " if name else ""
        self._said_s = 0.0

    def __call__(self, report: StepReport) -> None:
        """Say where the run stands, if that was not said a moment ago."""
        done = report.step == report.steps
        if report.entry and (done or perf_counter() - self._said_s >= LINE_EVERY_S):
            self._said_s = perf_counter()
            line = f"{self._name}step {report.step}/{report.steps}: {format_report(report)}"
            print(line, file=sys.stderr, flush=True)


class TrainingBar:
    """A progress bar on a terminal, lines elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._lines = TrainingLines()

    def __enter__(self) -> TrainingBar:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, report: StepReport) -> None:
        """Show one more step."""
        if not sys.stderr.isatty():
            self._lines(report)
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=report.steps, initial=report.step - 1, unit="step")
        if report.entry:
            self._bar.set_postfix_str(format_report(report), refresh=False)
        self._bar.update()
