"""The main job for many videos: lines while they are tracked, and a table at the end."""

from __future__ import annotations

import logging
import sys
from time import perf_counter

from mot_dinov3.commands import say_error
from mot_dinov3.commands.progress import LINE_EVERY_S
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_OK, hide_secrets
from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.runs.batch.base import Event, LogLine, Progress, TaskOutcome, TaskStarted
from mot_dinov3.runs.batch.factory import create_pool, pool_kind
from mot_dinov3.runs.batch.run import choose_exit_code, run_batch
from mot_dinov3.runs.batch.table import BatchEnd, format_table, to_json
from mot_dinov3.runs.batch.tasks import Task, create_tasks
from mot_dinov3.runs.jobs.resuming import remove_end_mark
from mot_dinov3.runtime.compat import load_environment
from mot_dinov3.wording import counted, make_printable

log = logging.getLogger("mot_dinov3")


def track_all(config: TrackConfig) -> int:
    """Track every video that the flags name; the exit code stands for all of them.

    Raises:
        MotError: nothing could be begun, or the table cannot be written.
    """
    load_environment()
    tasks = create_tasks(config)
    pool = create_pool(config, len(tasks))
    display = BatchDisplay(len(tasks), quiet=config.talk.quiet)
    started_s = perf_counter()
    outcomes = run_batch(tasks, pool, display)
    wall_s = perf_counter() - started_s
    end = BatchEnd(outcomes, choose_exit_code(outcomes), wall_s, pool_kind(config))
    display.show_table(end)
    if end.exit_code == EXIT_OK and not config.resume.resume:
        for task in tasks:
            remove_end_mark(task.config)
    if config.batch.batch_json:
        write_text(config.batch.batch_json, to_json(end))
    return end.exit_code


class BatchDisplay:
    """Prints lines on standard error: when a video begins and ends, and the progress of all."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total, self._quiet = total, quiet
        self._tasks: dict[str, Task] = {}
        self._running: dict[str, Progress] = {}
        self._ended = 0
        self._printed_s = perf_counter()

    def __call__(self, event: Event) -> None:
        """Print a line for an event that is worth one."""
        if isinstance(event, LogLine):
            log.log(event.level, "%s: %s", event.name, event.text)
        elif isinstance(event, TaskOutcome):
            self._end_task(event)
        elif isinstance(event, TaskStarted):
            self._tasks[event.task.name] = event.task
            self._say(f"{self._place(event.task.name)}: {event.task.source}")
        else:
            self._running[event.name] = event
            self._print_progress()

    def _end_task(self, outcome: TaskOutcome) -> None:
        self._running.pop(outcome.name, None)
        self._ended += 1
        if outcome.stopped:
            self._say(f"{self._place(outcome.name)}: {outcome.reason}")
        elif outcome.reason:
            say_error(f"{self._place(outcome.name)}: {outcome.reason}\n{outcome.fix}".strip())
        if outcome.frames:
            self._say(
                f"{self._place(outcome.name)}: {counted(outcome.frames, 'frame')}, "
                f"{outcome.fps:.1f} FPS, {counted(outcome.tracks, 'track')}; "
                f"wrote {', '.join(outcome.written) or 'nothing'}"
            )

    def _print_progress(self) -> None:
        now_s = perf_counter()
        if now_s - self._printed_s >= LINE_EVERY_S:
            self._printed_s = now_s
            running = ", ".join(map(describe_progress, self._running.values()))
            self._say(f"{self._ended} of {self._total} done; {running}")

    def _place(self, name: str) -> str:
        return f"[{self._tasks[name].number}/{self._total}] {name}"

    def _say(self, line: str) -> None:
        if not self._quiet:
            print(make_printable(hide_secrets(line)), file=sys.stderr, flush=True)

    def show_table(self, end: BatchEnd) -> None:
        """Print the table of all videos."""
        if not self._quiet:
            print(hide_secrets(format_table(end)), file=sys.stderr, flush=True)


def describe_progress(progress: Progress) -> str:
    """`walk 120/300 45.2 FPS`."""
    of_total = f"/{progress.total}" if progress.total else ""
    rate = f" {progress.fps:.1f} FPS" if progress.fps else ""
    return f"{progress.name} {progress.frames}{of_total}{rate}"
