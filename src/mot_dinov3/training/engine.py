"""The engine: how learning runs, whatever is learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from mot_dinov3.errors import InputError, MotError
from mot_dinov3.io.checkpoint import BEST
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.training.curve import CURVE_FILE, draw_curve
from mot_dinov3.training.folder import LAST, RunFolder
from mot_dinov3.training.learner import Learner
from mot_dinov3.training.log import Entry, TrainingLog, read_log
from mot_dinov3.training.processes import join_processes
from mot_dinov3.training.recipes.base import Assessment, Recipe
from mot_dinov3.training.settings import TrainingRun

DRAW_EVERY_S = 30.0
"""A picture takes longer than many a step, so it is not drawn with every state."""

Data = TypeVar("Data")
Batch = TypeVar("Batch")


@dataclass(frozen=True, slots=True)
class StepReport:
    """Where a run stands after a step, for a progress bar.

    Attributes:
        step: steps taken.
        steps: steps that there will be.
        entry: what was just logged, or None.
    """

    step: int
    steps: int
    entry: Entry | None


Watch = Callable[[StepReport], None]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """How a run ended.

    Attributes:
        out: the folder of the run.
        step: steps taken.
        steps: steps that there were to be.
        over: whether there is nothing left to learn: all steps were taken, or it ended early.
        best: what the kept weights reach, or None where nothing is measured.
        best_step: when they were reached.
        seconds: of learning, over all resumed parts.
    """

    out: Path
    step: int
    steps: int
    over: bool
    best: Assessment | None
    best_step: int
    seconds: float


def ignore(report: StepReport) -> None:
    """Watch nothing."""


def never() -> bool:
    """Wish for no early end."""
    return False


def train(
    recipe: Recipe[Data, Batch],
    run: TrainingRun,
    watch: Watch = ignore,
    wants_stop: Callable[[], bool] = never,
) -> TrainingResult:
    """Run a recipe to its end, or until it is stopped; a stopped run goes on with `resume`.

    Args:
        recipe: what is learned.
        run: the folder, whether to go on, and the device.
        watch: hears of every step.
        wants_stop: asked after every step; True ends the run with its state saved.

    Raises:
        InputError: the data or the state of the run cannot be read.
        ModelError: the loss is not a number any more.
        UsageError: the folder holds another run, or the device cannot do what was asked for.
    """
    processes = join_processes(choose_device(run.device))
    folder = RunFolder(Path(run.out))
    if processes.rank == 0:
        folder.claim(recipe, recipe.kind, resume=run.resume)
    processes.gather(None)  # the others wait until the folder is claimed
    try:
        learner = Learner(recipe, recipe.open_data(), processes)
    except MotError:
        folder.release()
        raise
    session = _Session(learner, folder, watch)
    session.begin()
    while not learner.over:
        learner.take_step()
        session.conclude_step()
        if processes.any(wants_stop()) and not learner.over:
            session.save()
            break
    session.draw()
    return session.result()


class _Session:
    """What is written and told while a learner learns."""

    def __init__(self, learner: Learner[Any, Any], folder: RunFolder, watch: Watch) -> None:
        self._learner = learner
        self._folder = folder
        self._watch = watch
        self._first = learner.processes.rank == 0
        self._seconds_before = 0.0
        self._started = self._drawn_s = perf_counter()
        self._saved_step = -1
        self._log: TrainingLog | None = None

    def begin(self) -> None:
        """Go on where the folder's run stands, or begin.

        Raises:
            InputError: the state is damaged, or does not fit the model and its optimizers.
        """
        state = self._folder.load_state()
        if state is not None:
            try:
                self._learner.load_state_dict(state)
            except (KeyError, ValueError, RuntimeError) as error:
                raise InputError(
                    f"The state in '{self._folder.path}' is of another version of this program, so "
                    "this run cannot go on.",
                    fix="Begin a new one in another folder with --out; its weights can be used.",
                ) from error
            self._seconds_before = float(state["seconds"])
            self._saved_step = self._learner.step
        if self._first:
            self._log = TrainingLog(self._folder.path, self._learner.step)

    @property
    def _seconds(self) -> float:
        return self._seconds_before + perf_counter() - self._started

    def conclude_step(self) -> None:
        """Log, measure and save what is due after a step.

        Raises:
            ModelError: the loss is not a number any more.
        """
        learner, recipe = self._learner, self._learner.recipe
        measures = learner.step >= learner.steps or _is_due(learner.step, learner.evaluate_every)
        entry: Entry | None = None
        if measures or _is_due(learner.step, recipe.log_every):
            entry = self._note(learner.summarise())
        if measures:
            entry = {**(entry or {}), **self._measure()}
        if measures or _is_due(learner.step, recipe.checkpoint_every):
            self.save()
        if self._first:
            self._watch(StepReport(learner.step, learner.steps, entry))

    def _measure(self) -> Entry:
        learner = self._learner
        assessment = learner.assess()
        if self._first and learner.best_step == learner.step:
            self._store(BEST, assessment)
        if assessment is None:
            return {}
        return self._note({"evaluation": dict(assessment.values), "best": learner.best_step})

    def _note(self, values: Mapping[str, Any]) -> Entry:
        entry = {"step": self._learner.step, "seconds": round(self._seconds, 3), **values}
        if self._log is not None:
            self._log.append(entry)
        return entry

    def save(self) -> None:
        """Store the latest weights, and all that a resumed run needs."""
        learner = self._learner
        if learner.step == self._saved_step:
            return
        learner.require_numbers()
        state = {**learner.state_dict(), "seconds": self._seconds}
        if self._first:
            self._store(LAST, None)
            self._folder.save_state(state)
            if perf_counter() - self._drawn_s >= DRAW_EVERY_S:
                self.draw()
        self._saved_step = learner.step

    def _store(self, name: str, assessment: Assessment | None) -> None:
        self._learner.save_checkpoint(self._folder.path / name, assessment)

    def draw(self) -> None:
        """Draw what the log holds."""
        if self._first:
            self._drawn_s = perf_counter()
            draw_curve(read_log(self._folder.path), self._folder.path / CURVE_FILE)

    def result(self) -> TrainingResult:
        """How the run ended."""
        learner = self._learner
        return TrainingResult(
            out=self._folder.path,
            step=learner.step,
            steps=learner.steps,
            over=learner.over,
            best=learner.best,
            best_step=learner.best_step,
            seconds=self._seconds,
        )


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
