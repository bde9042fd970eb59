"""Runs one task from its beginning to its outcome, also if the job fails."""

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

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import (
    EXIT_BUG,
    EXIT_DEVICE,
    EXIT_PARTIAL,
    EXIT_SIGINT,
    EXIT_SIGTERM,
    InputError,
    MotError,
    UsageError,
    describe_bug,
)
from mot_dinov3.runs.batch.base import Event, LogLine, Progress, TaskOutcome, TaskStarted
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.jobs.base import JobObserver, JobResult
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.runs.jobs.resuming import resume_if_possible
from mot_dinov3.runs.loop import OnFrame
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.systems.base import LoadedSystem
from mot_dinov3.systems.factory import load_system
from mot_dinov3.values import FrameResult
from mot_dinov3.values.run_facts import RunFacts
from mot_dinov3.values.stats_json import to_plain

log = logging.getLogger("mot_dinov3")

REPORT_EVERY_S = 0.25
REASONS = {
    EXIT_PARTIAL: "damaged or cut short; what could be read is kept",
    EXIT_SIGINT: "stopped; what was tracked is kept",
    EXIT_SIGTERM: "stopped; what was tracked is kept",
}


class Link(Protocol):
    """The way from a worker back to the batch."""

    def send(self, event: Event) -> None:
        """Send an event to the batch."""

    def stop_requested(self) -> bool:
        """Whether the task should come to an early and orderly end."""


class RunJob(Protocol):
    """Runs the job of a task, as `run_job` does."""

    def __call__(
        self, config: TrackConfig, system: LoadedSystem, observer: JobObserver
    ) -> JobResult:
        """Track the source of `config`."""


class TaskRunner:
    """Runs one task after another, with a system that is loaded once.

    Args:
        system: loaded already, None to load it for the first task.
        job: what a task is done with.
    """

    def __init__(self, system: LoadedSystem | None = None, job: RunJob = run_job) -> None:
        self._system = system
        self._job = job

    def run(self, task: Task, link: Link) -> TaskOutcome:
        """Track one video.

        Args:
            task: the video; a second try goes on where the first one ended, if it can.
            link: takes the events of the task, and says when to end early.

        Returns:
            The outcome, which holds an error of the job; an interruption is raised.
        """
        link.send(TaskStarted(task, os.getpid()))
        reporter = _ProgressReporter(task, link)
        try:
            load_environment()
            system = self._prepare_system(task)
            if isinstance(system, TaskOutcome):
                return system
            result = _run_job(task, system, reporter, self._job)
        except MotError as error:
            return _create_failure(task, error, reporter.facts)
        except Exception as error:
            log.debug("%s", traceback.format_exc())
            failure = _create_failure(task, describe_bug(error), reporter.facts)
            return replace(failure, exit_code=EXIT_BUG)
        return _create_success(task, result)

    def _prepare_system(self, task: Task) -> LoadedSystem | TaskOutcome:
        """The system for the next clip, loaded at the first task; an outcome if that failed."""
        try:
            loaded, config = self._system, task.config
            self._system = load_system(config) if loaded is None else loaded.for_clip(config)
        except MotError as error:
            common = not isinstance(error, InputError)
            return replace(_create_failure(task, error, None), common=common)
        return self._system


def _run_job(
    task: Task, system: LoadedSystem, reporter: _ProgressReporter, job: RunJob
) -> JobResult:
    """Run the job; a second try resumes the first one, if that left a journal of this run."""
    if task.again and (second := resume_if_possible(task.config)) is not task.config:
        try:
            return job(second, system, reporter)
        except UsageError as error:
            log.warning("%s It is tracked from the beginning.", error.what)
    return job(task.config, system, reporter)


class _ProgressReporter(JobObserver):
    """Sends the progress of a job now and then, and ends the job when the batch wants it."""

    def __init__(self, task: Task, link: Link) -> None:
        self.facts: RunFacts | None = None
        self._task, self._link = task, link
        self._total = 0
        self._began_s = self._sent_s = 0.0

    @contextmanager
    def watch(self, total: int) -> Iterator[OnFrame]:
        """A callback for every frame."""
        self._total = total
        yield self._on_frame

    def on_summary(self, facts: RunFacts) -> None:
        """Keep the facts, as an error may follow."""
        self.facts = facts

    def _on_frame(self, result: FrameResult, statistics: RunStatistics) -> None:
        now_s = perf_counter()
        if statistics.frames == 1:
            self._began_s = now_s
        elif now_s - self._sent_s < REPORT_EVERY_S:
            return
        self._sent_s = now_s
        fps = (statistics.frames - 1) / max(now_s - self._began_s, 1e-9)
        self._link.send(Progress(self._task.name, statistics.frames, self._total, fps))
        if self._link.stop_requested():
            # The loop handles SIGTERM here; workers block SIGINT, as a terminal sends it to all.
            signal.raise_signal(signal.SIGTERM)


def _create_success(task: Task, result: JobResult) -> TaskOutcome:
    return TaskOutcome(
        task.name,
        task.source,
        result.exit_code,
        REASONS.get(result.exit_code, ""),
        written=tuple(result.written),
        **_figures(result.facts),
    )


def _create_failure(task: Task, error: MotError, facts: RunFacts | None) -> TaskOutcome:
    where = f"{task.where}: " if task.where else ""
    return TaskOutcome(
        task.name,
        task.source,
        error.exit_code,
        where + error.what,
        error.fix,
        **(_figures(facts) if facts else {}),
    )


def create_lost_outcome(task: Task, how: str, *, killed: bool) -> TaskOutcome:
    """The outcome of a task whose worker died twice.

    Args:
        task: the task.
        how: what is known of the death, such as "by signal 9".
        killed: the worker was killed from outside, most likely for want of memory.
    """
    fix = "Run it alone with --debug, without --workers and --ray."
    if killed:
        fix = "Most likely memory ran out: give fewer --workers."
    code = EXIT_DEVICE if killed else EXIT_BUG
    return TaskOutcome(task.name, task.source, code, f"Its worker died twice, {how}.", fix)


def _figures(facts: RunFacts) -> dict[str, Any]:
    return {
        "frames": facts.frames,
        "fps": facts.fps or 0.0,
        "tracks": facts.counts.confirmed if facts.counts else 0,
        "crops": facts.embeddings.computed if facts.embeddings else 0,
        "identities": dict(facts.identities or {}),
        "lines": to_plain(facts.lines or {}),
        "zones": to_plain(facts.zones or {}),
    }


class ForwardingHandler(logging.Handler):
    """Sends the log lines of the package from a worker to the batch."""

    def __init__(self, name: str, link: Link) -> None:
        super().__init__()
        self._name, self._link = name, link

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line."""
        self._link.send(LogLine(self._name, record.levelno, record.getMessage()))


@contextmanager
def forward_log(task: Task, link: Link, level: int) -> Iterator[None]:
    """Inside, the log of the package goes to `link`, from `level` on."""
    handlers, log.handlers = log.handlers, [ForwardingHandler(task.name, link)]
    log.propagate = False
    log.setLevel(level)
    try:
        yield
    finally:
        log.handlers = handlers
