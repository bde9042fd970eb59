"""A task from its beginning to its outcome, whatever happens on the way."""

from __future__ import annotations

import logging
import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any, Protocol

from mot_dinov3.errors import (
    EXIT_BUG,
    EXIT_DEVICE,
    EXIT_PARTIAL,
    EXIT_SIGINT,
    EXIT_SIGTERM,
    InputError,
    MotError,
    UsageError,
)
from mot_dinov3.runs.batch.base import Begun, Event, Outcome, Progress, Said
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.jobs.base import JobResult
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.runs.jobs.models import LoadedModels
from mot_dinov3.runs.jobs.resuming import second_try
from mot_dinov3.runs.loop import OnFrame
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.systems.modular import Models
from mot_dinov3.values import FrameResult
from mot_dinov3.values.run_facts import RunFacts

log = logging.getLogger("mot_dinov3")

TELL_EVERY_S = 0.25
REASONS = {
    EXIT_PARTIAL: "damaged or cut short; what could be read is kept",
    EXIT_SIGINT: "stopped; what was tracked is kept",
    EXIT_SIGTERM: "stopped; what was tracked is kept",
}


class Link(Protocol):
    """The way from a worker back to whoever gave it the task."""

    def tell(self, event: Event) -> None:
        """Pass an event on."""

    def stop_asked(self) -> bool:
        """Whether the task should come to an early and orderly end."""


class Workshop:
    """Does one task after another, with models that are loaded once."""

    def __init__(self) -> None:
        self._models = LoadedModels()

    def do(self, task: Task, link: Link) -> Outcome:
        """Track one video; problems become part of the outcome, an interruption does not."""
        link.tell(Begun(task, os.getpid()))
        watcher = _Watcher(task, link)
        try:
            load_environment()
            models = self._ready_for(task)
            if isinstance(models, Outcome):
                return models
            result = _tracked(task, models, watcher)
        except MotError as error:
            return _failed(task, error, watcher.facts)
        except Exception as error:
            log.debug("%s", traceback.format_exc())
            problem = MotError(f"{type(error).__name__}: {error}",
                               fix="This is a bug. Run again with --debug.")  # fmt: skip
            return replace(_failed(task, problem, watcher.facts), exit_code=EXIT_BUG)
        return _came_through(task, result)

    def _ready_for(self, task: Task) -> Models | Outcome:
        try:
            return self._models.ready_for(task.config)
        except MotError as error:
            common = not isinstance(error, InputError)
            return replace(_failed(task, error, None), common=common)


def _tracked(task: Task, models: Models, watcher: _Watcher) -> JobResult:
    """Run the job; a second try goes on where the first one died, if its journal is to be used."""
    if task.again and (second := second_try(task.config)) is not task.config:
        try:
            return run_job(second, models, watcher)
        except UsageError as error:
            log.warning("%s It is tracked from the beginning.", error.what)
    return run_job(task.config, models, watcher)


class _Watcher:
    """Tells of a job now and then, and hears whether it should end."""

    def __init__(self, task: Task, link: Link) -> None:
        self.facts: RunFacts | None = None
        self._task, self._link = task, link
        self._total = 0
        self._began_s = self._told_s = 0.0

    @contextmanager
    def watch(self, total: int) -> Iterator[OnFrame]:
        """Told of every frame inside."""
        self._total = total
        yield self._frame

    def page_at(self, url: str) -> None:
        """No job of a batch has a page."""

    def summed_up(self, facts: RunFacts) -> None:
        """Keep the facts, which an error may follow."""
        self.facts = facts

    def _frame(self, result: FrameResult, statistics: RunStatistics) -> None:
        now_s = perf_counter()
        if statistics.frames == 1:
            self._began_s = now_s
        elif now_s - self._told_s < TELL_EVERY_S:
            return
        self._told_s = now_s
        fps = (statistics.frames - 1) / max(now_s - self._began_s, 1e-9)
        self._link.tell(Progress(self._task.name, statistics.frames, self._total, fps))
        if self._link.stop_asked():
            # Here the loop listens; workers are deaf to SIGINT, as a terminal sends it to all.
            signal.raise_signal(signal.SIGTERM)


def _came_through(task: Task, result: JobResult) -> Outcome:
    return Outcome(
        task.name,
        task.source,
        result.exit_code,
        REASONS.get(result.exit_code, ""),
        written=tuple(result.written),
        **_figures(result.facts),
    )


def _failed(task: Task, error: MotError, facts: RunFacts | None) -> Outcome:
    where = f"{task.where}: " if task.where else ""
    return Outcome(
        task.name,
        task.source,
        error.exit_code,
        where + error.what,
        error.fix,
        **(_figures(facts) if facts else {}),
    )


def lost(task: Task, how: str, *, killed: bool) -> Outcome:
    """The outcome of a task whose worker died twice.

    Args:
        task: which.
        how: what is known of the death, such as "by signal 9".
        killed: from outside, most likely for want of memory.
    """
    fix = "Most likely memory ran out: give fewer --workers." if killed else (
        "Run it alone with --debug, without --workers and --ray.")  # fmt: skip
    code = EXIT_DEVICE if killed else EXIT_BUG
    return Outcome(task.name, task.source, code, f"Its worker died twice, {how}.", fix)


def _figures(facts: RunFacts) -> dict[str, Any]:
    return {
        "frames": facts.frames,
        "fps": facts.fps or 0.0,
        "tracks": facts.counts.confirmed if facts.counts else 0,
        "crops": facts.embeddings.computed if facts.embeddings else 0,
    }


class TellingHandler(logging.Handler):
    """Sends the package's log lines of a worker to whoever gave it the task."""

    def __init__(self, name: str, link: Link) -> None:
        super().__init__()
        self._name, self._link = name, link

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one line on."""
        self._link.tell(Said(self._name, record.levelno, record.getMessage()))


@contextmanager
def log_told(task: Task, link: Link, level: int) -> Iterator[None]:
    """Inside, the package's log goes to `link`, from `level` on."""
    handlers, log.handlers = log.handlers, [TellingHandler(task.name, link)]
    log.propagate = False
    log.setLevel(level)
    try:
        yield
    finally:
        log.handlers = handlers
