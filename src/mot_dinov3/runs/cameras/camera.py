"""One camera among others: its job in a thread of its own, and how it goes on."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from time import monotonic

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import MotError
from mot_dinov3.outputs.serve.tiles import Tile
from mot_dinov3.runs.batch.base import CameraState, CameraSummary, Event, Progress
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.batch.work import TaskRunner
from mot_dinov3.runs.cameras.shared import CameraSystem, SharedModels
from mot_dinov3.runs.jobs.base import JobObserver, JobResult
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.runs.loop import OnFrame, StopRequest
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.runtime.threads import WaitableThread
from mot_dinov3.runtime.timing import Clock
from mot_dinov3.systems.base import LoadedSystem
from mot_dinov3.values import FrameResult
from mot_dinov3.values.run_facts import RunFacts

RECENT = 50
"""Frames over which the rate is counted that is shown."""


class Camera:
    """Runs the job of one live source, with the models that all share.

    Attributes:
        task: what it does.
        tile: shows it on a page, and knows its figures without one, too.
    """

    def __init__(self, task: Task, models: SharedModels, send: Callable[[Event], None]) -> None:
        """Prepare; nothing runs yet.

        Args:
            task: the camera's name, source and outputs.
            models: shared by all cameras.
            send: takes the events of the job, in the camera's thread.
        """
        self.task = task
        self._send = send
        self._stop = StopRequest()
        self.tile = CameraTile(task, self._stop.ask)
        self._system = CameraSystem(models, task.config)
        self._thread = WaitableThread(self._run, f"camera-{task.number}")

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Request an early and orderly end, as SIGTERM does."""
        self._stop.signal = signal.SIGTERM

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.signal != 0

    @property
    def models_failed(self) -> bool:
        """Whether it has met models that cannot be loaded."""
        return self._system.failed

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for its end; returns at once where it was never started."""
        if self._thread.ident is not None:
            self._thread.wait(timeout_s)

    def send(self, event: Event) -> None:
        """Pass an event of the task on; how it goes on is asked of the tile instead."""
        if not isinstance(event, Progress):
            self._send(event)

    def stop_requested(self) -> bool:
        """Whether the task is to end itself; its job knows that already."""
        return False

    def on_summary(self, facts: RunFacts) -> None:
        """Pass the facts of the run on."""
        self._send(CameraSummary(self.task.name, facts))

    def _run(self) -> None:
        outcome = TaskRunner(self._system, self._run_job).run(self.task, self)
        with suppress(MotError):  # the thread of the models may have been left
            self._system.close()
        self.tile.end(outcome.reason)
        self._send(outcome)

    def _run_job(
        self, config: TrackConfig, system: LoadedSystem, observer: JobObserver
    ) -> JobResult:
        return run_job(config, system, _Observer(observer, self), self._stop, self.tile)


class _Observer(JobObserver):
    """The observer of the task, beside the camera."""

    def __init__(self, inner: JobObserver, camera: Camera) -> None:
        self._inner, self._camera = inner, camera

    def watch(self, total: int) -> AbstractContextManager[OnFrame | None]:
        """The callback of the task."""
        return self._inner.watch(total)

    def on_summary(self, facts: RunFacts) -> None:
        """Pass the facts on to both."""
        self._inner.on_summary(facts)
        self._camera.on_summary(facts)


class CameraTile(Tile):
    """The tile of a camera, which also counts for the terminal."""

    def __init__(self, task: Task, ask_stop: Callable[[], None], clock: Clock = monotonic) -> None:
        super().__init__(task.name, task.source, task.config.draw, ask_stop)
        self._clock = clock
        self._taken_s: deque[float] = deque(maxlen=RECENT)
        self._latest: tuple[FrameResult, RunStatistics] | None = None

    def update(self, result: FrameResult, statistics: RunStatistics) -> None:
        """Take the counters of one more frame."""
        super().update(result, statistics)
        self._taken_s.append(self._clock())
        self._latest = result, statistics

    @property
    def fps(self) -> float:
        """Frames a second of late; falls while none comes."""
        taken_s = self._taken_s.copy()
        span_s = self._clock() - taken_s[0] if taken_s else 0.0
        return (len(taken_s) - 1) / span_s if span_s > 0 else 0.0

    def describe(self) -> CameraState | None:
        """How the camera goes on; None before the first frame and after the end."""
        if self._latest is None or self.reason:
            return None
        result, statistics = self._latest
        embed = result.embed
        return CameraState(
            name=self.name,
            frames=statistics.frames,
            fps=self.fps,
            tracks=int(result.tracks.placed.sum()),
            computed=embed.computed,
            embed_ms=embed.embed_ms,
            budget_ms=embed.budget_ms,
            backlog=statistics.backlog,
            dropped=self.faults.get("dropped", 0),
            condition=self.condition,
        )
