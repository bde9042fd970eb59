"""Cameras as a pool of workers: a thread for each of them, and one for the models of all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from queue import Empty, SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Self

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_PARTIAL, EXIT_SIGTERM
from mot_dinov3.outputs.serve.tiles import TilesPage
from mot_dinov3.runs.batch.base import Event, OnEvent, PageOpened, TaskOutcome
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.cameras.camera import Camera
from mot_dinov3.runs.cameras.model_thread import ModelThread
from mot_dinov3.runs.cameras.shared import SharedModels

MOMENT_S = 0.2
"""Seconds of one `work`: so soon a signal is noticed while nothing happens."""
DESCRIBED_EVERY_S = 0.5
PATIENCE_S = 2.0
"""Seconds for which cameras that are cut off may still finish their outputs."""
LOST = "lost, and did not come back; what came before is kept"
STOPPED_EARLY = "stopped before its first frame"
SAME_REASON = "not begun: every camera would fail for the same reason"


class CameraPool:
    """Tracks all live sources at the same time in this process.

    Each camera is a job as if it were tracked alone: it connects, reads, writes and ends by
    itself, in a thread of its own. Only what touches the models is done in their thread, in
    rounds of the newest frames. So one that drops out or fails does not hold up the others.

    Attributes:
        cameras: all of them, in their order.
    """

    def __init__(self, config: TrackConfig, tasks: Sequence[Task]) -> None:
        """Take the port of `--serve`.

        Args:
            config: stage `live` says whether there is a page.
            tasks: one a camera.

        Raises:
            UsageError: the address of the page is taken.
        """
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._thread = ModelThread()
        models = SharedModels(self._thread)
        self.cameras = [Camera(task, models, self._events.put) for task in tasks]
        tiles = [camera.tile for camera in self.cameras]
        self._page = TilesPage(config.live.address, tiles) if config.live.serve else None
        self._stack = ExitStack()
        self._begun = 0
        self._common_told = False
        self._described_s = monotonic()

    @property
    def free(self) -> int:
        """All of them may begin at once."""
        return len(self.cameras) - self._begun

    def __enter__(self) -> Self:
        self._stack.enter_context(self._thread)
        if self._page is not None:
            self._stack.enter_context(self._page)
            self._events.put(PageOpened(self._page.url))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.stop()
        until_s = monotonic() + PATIENCE_S
        for camera in self.cameras:
            camera.wait(max(0.0, until_s - monotonic()))
        self._stack.close()

    def begin(self, task: Task) -> None:
        """Start the camera of a task."""
        self._begun += 1
        next(camera for camera in self.cameras if camera.task is task).start()

    def work(self, on_event: OnEvent) -> None:
        """Report what happened, and now and then how each camera goes on."""
        until_s = monotonic() + MOMENT_S
        while (left_s := until_s - monotonic()) > 0:
            try:
                event = self._events.get(timeout=left_s)
            except Empty:
                break
            if isinstance(event, TaskOutcome):
                on_event(self._explain(event))
                return
            on_event(event)
        if monotonic() - self._described_s >= DESCRIBED_EVERY_S:
            self._described_s = monotonic()
            for camera in self.cameras:
                if (state := camera.tile.describe()) is not None:
                    on_event(state)

    def stop(self) -> None:
        """Request an early and orderly end of all cameras."""
        for camera in self.cameras:
            camera.stop()

    def _explain(self, outcome: TaskOutcome) -> TaskOutcome:
        """The outcome in words of cameras; a failure of the models is told once, as that of all."""
        if outcome.exit_code == EXIT_PARTIAL:
            return replace(outcome, reason=LOST)
        if outcome.frames or outcome.exit_code == 0:
            return outcome
        camera = next(one for one in self.cameras if one.task.name == outcome.name)
        if camera.models_failed:
            if not self._common_told:
                self._common_told = True
                return replace(outcome, common=True)
            return TaskOutcome(outcome.name, outcome.source, reason=SAME_REASON, begun=False)
        if camera.stopped:
            return replace(outcome, exit_code=EXIT_SIGTERM, reason=STOPPED_EARLY, fix="")
        return outcome
