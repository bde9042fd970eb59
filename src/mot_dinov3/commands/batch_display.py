"""What is printed while several sources are tracked: lines, and a table at the end."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Any, Self

from mot_dinov3.commands import say_error
from mot_dinov3.commands.progress import LINE_EVERY_S
from mot_dinov3.errors import hide_secrets
from mot_dinov3.outputs.summary import format_summary
from mot_dinov3.runs.batch.base import (
    CameraState,
    CameraSummary,
    Event,
    LogLine,
    PageOpened,
    Progress,
    TaskOutcome,
    TaskStarted,
)
from mot_dinov3.runs.batch.table import BatchEnd, format_table
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.wording import counted, make_printable

log = logging.getLogger("mot_dinov3")


class BatchDisplay:
    """Prints lines on standard error: when a video begins and ends, and the progress of all."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total, self._quiet = total, quiet
        self._tasks: dict[str, Task] = {}
        self._running: dict[str, Progress] = {}
        self._ended = 0
        self._printed_s = perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing is shown beside the lines."""

    def __call__(self, event: Event) -> None:
        """Print a line for an event that is worth one."""
        if isinstance(event, LogLine):
            log.log(event.level, "%s: %s", event.name, event.text)
        elif isinstance(event, TaskOutcome):
            self._end_task(event)
        elif isinstance(event, TaskStarted):
            self._tasks[event.task.name] = event.task
            self._say(f"{self._place(event.task.name)}: {event.task.source}")
        elif isinstance(event, Progress):
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

    def _say(self, text: str) -> None:
        if not self._quiet:
            shown = "\n".join(map(make_printable, hide_secrets(text).splitlines()))
            print(shown, file=sys.stderr, flush=True)

    def show_table(self, end: BatchEnd) -> None:
        """Print the table of all videos."""
        self._say(format_table(end))


class CameraDisplay(BatchDisplay):
    """Prints one line of counters a camera: in place on a terminal, every 5 s elsewhere."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        super().__init__(total, quiet=quiet)
        self._states: dict[str, CameraState] = {}
        self._in_place = sys.stderr.isatty() and not quiet
        self._bars: dict[str, Any] = {}
        self._handlers = log.handlers

    def __enter__(self) -> Self:
        self._handlers = log.handlers
        if self._in_place:
            log.handlers = [_AboveCounters(self._handlers, self._above_counters)]
        return self

    def __exit__(self, *problem: object) -> None:
        for bar in self._bars.values():
            bar.close()
        log.handlers = self._handlers

    def __call__(self, event: Event) -> None:
        """Show an event; lines that stay are printed above the counters."""
        if isinstance(event, CameraState):
            self._show_state(event)
            return
        with self._above_counters():
            self._show_line(event)

    def _above_counters(self) -> AbstractContextManager[object]:
        if not self._bars:
            return nullcontext()
        from tqdm import tqdm

        mode: AbstractContextManager[object] = tqdm.external_write_mode(file=sys.stderr)
        return mode

    def _show_line(self, event: Event) -> None:
        if isinstance(event, CameraSummary):
            self._say(f"{self._place(event.name)}:\n{format_summary(event.facts)}")
        elif isinstance(event, PageOpened):
            # The address works as a password, so nothing else prints it.
            print(f"watch them at {event.url}", file=sys.stderr, flush=True)
        else:
            super().__call__(event)

    def _end_task(self, outcome: TaskOutcome) -> None:
        self._states.pop(outcome.name, None)
        super()._end_task(outcome)
        if outcome.name in self._bars:
            self._bars[outcome.name].set_description_str(f"{self._place(outcome.name)}: ended")

    def _show_state(self, state: CameraState) -> None:
        self._states[state.name] = state
        if self._in_place:
            self._find_bar(state.name).set_description_str(self._describe(state))
            return
        now_s = perf_counter()
        if now_s - self._printed_s >= LINE_EVERY_S and state.name == max(self._states):
            self._printed_s = now_s
            for one in self._states.values():
                self._say(self._describe(one))

    def _describe(self, state: CameraState) -> str:
        return f"{self._place(state.name)}: {describe_camera(state)}"

    def _find_bar(self, name: str) -> Any:  # noqa: ANN401 - tqdm has no types
        from tqdm import tqdm

        if name not in self._bars:
            place = self._tasks[name].number - 1
            self._bars[name] = tqdm(bar_format="{desc}", position=place, dynamic_ncols=True)
        return self._bars[name]


class _AboveCounters(logging.Handler):
    """Hands log lines of any thread to other handlers while no counters are in their way."""

    def __init__(
        self,
        handlers: Sequence[logging.Handler],
        above: Callable[[], AbstractContextManager[object]],
    ) -> None:
        super().__init__()
        self._handlers, self._above = handlers, above

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        with self._above():
            for handler in self._handlers:
                handler.handle(record)


def describe_progress(progress: Progress) -> str:
    """`walk 120/300 45.2 FPS`."""
    of_total = f"/{progress.total}" if progress.total else ""
    rate = f" {progress.fps:.1f} FPS" if progress.fps else ""
    return f"{progress.name} {progress.frames}{of_total}{rate}"


def describe_camera(state: CameraState) -> str:
    """`frame 120, 14.9 FPS, trk 5 emb 2 budget 3/10ms backlog 0, 12 dropped`."""
    budget = f"{state.embed_ms:.0f}/{state.budget_ms:.4g}ms" if state.budget_ms else "-"
    dropped = f", {state.dropped} dropped" if state.dropped else ""
    gone = f", {state.condition}" if state.condition not in ("", "connected") else ""
    return (
        f"frame {state.frames}, {state.fps:.1f} FPS, trk {state.tracks} emb {state.computed} "
        f"budget {budget} backlog {state.backlog}{dropped}{gone}"
    )
