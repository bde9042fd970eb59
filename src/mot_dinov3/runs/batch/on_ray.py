"""Tasks on a Ray cluster: Ray places the workers, starts dead ones again and repeats their task."""

from __future__ import annotations

import logging
from pathlib import Path
from time import monotonic
from typing import Any, Self

from mot_dinov3 import __version__
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import DeviceError
from mot_dinov3.runs.batch.base import Event, OnEvent, TaskOutcome
from mot_dinov3.runs.batch.ray_cluster import (
    connect,
    first_line,
    list_machines,
    plan_workers,
    require_ray,
)
from mot_dinov3.runs.batch.ray_worker import MessageBoard, RayWorker
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.batch.work import create_lost_outcome

log = logging.getLogger("mot_dinov3")

RETRIES = 1
WAIT_S = 0.3
PATIENCE_S = 30.0


class RayPool:
    """One actor per GPU, or per few processors, each with its models loaded once.

    Args:
        config: `batch` says where the cluster is, how many actors and how large; `device` whether
            they want GPUs.
    """

    def __init__(self, config: TrackConfig) -> None:
        self._config = config
        self._ray = require_ray()
        self._joined = False
        self._board: Any = None
        self._actors: list[Any] = []
        self._starting: dict[Any, Any] = {}
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, Task]] = {}
        self._waits_since_s = monotonic()

    @property
    def free(self) -> int:
        """How many actors have their place in the cluster and nothing to do."""
        return len(self._idle)

    def __enter__(self) -> Self:
        ray, batch = self._ray, self._config.batch
        self._joined = not ray.is_initialized()
        if self._joined:
            connect(ray, batch)
        try:
            share, count = plan_workers(self._config, list_machines(ray))
            if batch.workers:
                count = min(count, batch.workers)
            self._board = ray.remote(num_cpus=0)(MessageBoard).remote()
            worker_class = ray.remote(max_restarts=-1, max_task_retries=RETRIES, **share)(RayWorker)
            level, here = log.getEffectiveLevel(), str(Path.cwd())
            for _ in range(count):
                actor = worker_class.remote(here, level)
                self._actors.append(actor)
                self._starting[actor.version.remote()] = actor
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *problem: object) -> None:
        self._leave()

    def _leave(self) -> None:
        """Leave the cluster, which ends the actors; or end only the actors of a host program."""
        if self._joined:
            self._ray.shutdown()
            return
        for actor in filter(None, [*self._actors, self._board]):
            self._ray.kill(actor)

    def begin(self, task: Task) -> None:
        """Hand a task to an actor that waits."""
        actor = self._idle.pop()
        self._busy[actor.run.remote(task, self._board)] = actor, task

    def work(self, on_event: OnEvent) -> None:
        """Wait a moment for what the actors post and return.

        Raises:
            DeviceError: another version of this package runs on the cluster.
        """
        waited = [*self._starting, *self._busy]
        ready, _ = self._ray.wait(waited, num_returns=1, timeout=WAIT_S)
        for event in self._take_events():
            on_event(event)
        for reference in ready:
            if reference in self._starting:
                self._accept_worker(reference)
            else:
                actor, task = self._busy.pop(reference)
                self._idle.append(actor)
                on_event(self._read_result(reference, task))
        self._warn_if_busy()

    def _take_events(self) -> list[Event]:
        try:
            return list(self._ray.get(self._board.take.remote(), timeout=WAIT_S))
        except self._ray.exceptions.RayError:
            return []  # a batch must not fail for want of its progress

    def _accept_worker(self, reference: Any) -> None:  # noqa: ANN401 - Ray has no types
        actor = self._starting.pop(reference)
        try:
            version = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            raise DeviceError(
                f"A worker could not start on the Ray cluster: {first_line(error)}",
                fix="This package must be installed on every machine, and the directory that the "
                "batch is started in must exist there.",
            ) from error
        if version != __version__:
            raise DeviceError(
                f"A machine of the Ray cluster has mot_dinov3 {version}, this one {__version__}.",
                fix="Install the same version everywhere.",
            )
        self._idle.append(actor)

    def _read_result(self, reference: Any, task: Task) -> TaskOutcome:  # noqa: ANN401 - as above
        try:
            outcome: TaskOutcome = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return create_lost_outcome(task, f"on Ray: {first_line(error)}", killed=True)
        return outcome

    def _warn_if_busy(self) -> None:
        """Warn if the cluster has had no place for a worker for a while."""
        if self._idle or self._busy:
            self._waits_since_s = monotonic()
        elif monotonic() - self._waits_since_s > PATIENCE_S:
            self._waits_since_s = monotonic()
            log.warning("The Ray cluster has had no place for a worker for %d s.", PATIENCE_S)

    def stop(self) -> None:
        """Request an early and orderly end of the running tasks."""
        self._board.stop.remote()
