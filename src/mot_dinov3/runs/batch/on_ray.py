"""Tasks on a Ray cluster: Ray places the workers, starts dead ones again and repeats their task."""

from __future__ import annotations

import logging
from pathlib import Path
from time import monotonic
from typing import Any, Self

from mot_dinov3 import __version__
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import DeviceError
from mot_dinov3.runs.batch.base import Event, Hear, Outcome
from mot_dinov3.runs.batch.ray_cluster import connect, first_line, machines, require_ray, shares
from mot_dinov3.runs.batch.ray_worker import Board, Member
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.batch.work import lost

log = logging.getLogger("mot_dinov3")

RETRIES = 1
WAIT_S = 0.3
PATIENCE_S = 30.0


class RayCrew:
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
        self._arriving: dict[Any, Any] = {}
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
            share, count = shares(self._config, machines(ray))
            if batch.workers:
                count = min(count, batch.workers)
            self._board = ray.remote(num_cpus=0)(Board).remote()
            member = ray.remote(max_restarts=-1, max_task_retries=RETRIES, **share)(Member)
            level, here = log.getEffectiveLevel(), str(Path.cwd())
            for _ in range(count):
                actor = member.remote(here, level)
                self._actors.append(actor)
                self._arriving[actor.version.remote()] = actor
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *problem: object) -> None:
        self._leave()

    def _leave(self) -> None:
        """Leave the cluster, which ends the actors; not if the host program had joined it."""
        if self._joined:
            self._ray.shutdown()
            return
        for actor in filter(None, [*self._actors, self._board]):
            self._ray.kill(actor)

    def begin(self, task: Task) -> None:
        """Hand a task to an actor that waits."""
        actor = self._idle.pop()
        self._busy[actor.do.remote(task, self._board)] = actor, task

    def work(self, hear: Hear) -> None:
        """Wait a moment for what the actors post and return.

        Raises:
            DeviceError: another version of this package runs on the cluster.
        """
        waited = [*self._arriving, *self._busy]
        ready, _ = self._ray.wait(waited, num_returns=1, timeout=WAIT_S)
        for event in self._posted():
            hear(event)
        for reference in ready:
            if reference in self._arriving:
                self._welcome(reference)
            else:
                actor, task = self._busy.pop(reference)
                self._idle.append(actor)
                hear(self._result(reference, task))
        self._complain()

    def _posted(self) -> list[Event]:
        try:
            return list(self._ray.get(self._board.take.remote(), timeout=WAIT_S))
        except self._ray.exceptions.RayError:
            return []  # progress is not worth a batch

    def _welcome(self, reference: Any) -> None:  # noqa: ANN401 - Ray has no types
        actor = self._arriving.pop(reference)
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

    def _result(self, reference: Any, task: Task) -> Outcome:  # noqa: ANN401 - as above
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return lost(task, f"on Ray: {first_line(error)}", killed=True)
        return outcome

    def _complain(self) -> None:
        """Say it when the cluster is too busy to take anybody."""
        if self._idle or self._busy:
            self._waits_since_s = monotonic()
        elif monotonic() - self._waits_since_s > PATIENCE_S:
            self._waits_since_s = monotonic()
            log.warning("The Ray cluster has had no place for a worker for %d s.", PATIENCE_S)

    def stop(self) -> None:
        """Leave word for the busy actors to end their videos early, in order."""
        self._board.stop.remote()
