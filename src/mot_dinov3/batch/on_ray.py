"""Tasks on a Ray cluster: Ray places the workers, starts dead ones again and repeats their task."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from mot_dinov3 import __version__
from mot_dinov3.backends.cpu import thread_count
from mot_dinov3.batch.base import Event, Hear, Outcome
from mot_dinov3.batch.tasks import Task
from mot_dinov3.batch.work import Workshop, log_told, lost
from mot_dinov3.config import BatchConfig, TrackConfig
from mot_dinov3.config.batch import LOCAL_RAY
from mot_dinov3.errors import DeviceError, InputError, not_installed

log = logging.getLogger("mot_dinov3")

CORES = 4
"""Processors of a worker where nobody says how many: more help a network little."""
RETRIES = 1
WAIT_S = 0.3
PATIENCE_S = 30.0
ASK_EVERY_S = 0.5
ANSWER_S = 5.0
LOCAL_STORE_BYTES = 100_000_000
"""What passes through Ray are settings and figures, no pictures."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",
}
"""No reports to Ray's makers, none of its own words on our standard output, and workers that run
at our own priority: Ray's default of 15 lets whatever else runs go first."""


def require_ray() -> Any:  # noqa: ANN401 - a module without type stubs
    """The `ray` package, made to report nothing and to say nothing.

    Raises:
        ModelError: it is not installed.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise not_installed("ray", "ray", "--ray") from error
    return ray


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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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


def connect(ray: Any, batch: BatchConfig) -> None:  # noqa: ANN401 - a module without type stubs
    """Join the cluster of `--ray`, or start one on this machine alone.

    Raises:
        InputError: there is no cluster at the address.
    """
    require_answer(batch.ray)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if batch.ray == LOCAL_RAY:
        options |= {
            "num_cpus": max(batch.workers * max(1, batch.worker_cores), thread_count()),
            "include_dashboard": False,
            "object_store_memory": LOCAL_STORE_BYTES,
        }
    try:
        ray.init(address=batch.ray, **options)
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        raise no_cluster(batch.ray, error) from error


def require_answer(address: str) -> None:
    """Refuse an address where nobody listens; Ray itself would try for minutes.

    Raises:
        InputError: nobody does.
    """
    try:
        place = urlsplit(address if "://" in address else f"//{address}")
        if place.hostname and place.port:
            socket.create_connection((place.hostname, place.port), ANSWER_S).close()
    except (OSError, ValueError) as error:
        raise no_cluster(address, error) from error


def no_cluster(address: str, error: Exception) -> InputError:
    """The error for a cluster that cannot be joined."""
    return InputError(
        f"There is no Ray cluster at '{address}': {first_line(error)}",
        fix="Start one (ray start --head) and give its address, host:6379, or --ray alone.",
    )


def first_line(error: BaseException) -> str:
    """What an error says, in one sentence's place."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"{line.rstrip('.')}."


def machines(ray: Any) -> list[Mapping[str, float]]:  # noqa: ANN401 - as above
    """What each machine of the cluster has: resource -> amount."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def shares(
    config: TrackConfig, machines: list[Mapping[str, float]]
) -> tuple[dict[str, float], int]:
    """What an actor asks of Ray, and how many of them find a place in the empty cluster.

    Raises:
        DeviceError: none does.
    """
    batch, device = config.batch, config.device
    cores = [int(machine.get("CPU", 0)) for machine in machines]
    gpus = [int(machine.get("GPU", 0)) for machine in machines]
    wants_gpu = not device.cpu and device.device.strip().lower() != "cpu"
    each = batch.worker_cores or _usual_cores(batch, sum(cores), max(cores, default=0))
    if wants_gpu and sum(gpus):
        each = batch.worker_cores or 1
        places = sum(min(g, c // each) for g, c in zip(gpus, cores, strict=True))
        share: dict[str, float] = {"num_cpus": each, "num_gpus": 1}
    else:
        places, share = sum(c // each for c in cores), {"num_cpus": each}
    if not places:
        raise DeviceError(
            f"No machine of the Ray cluster has {each} processors for a worker.",
            fix="Give fewer --worker-cores.",
        )
    return share, places


def _usual_cores(batch: BatchConfig, total: int, largest: int) -> int:
    share = total // batch.workers if batch.workers else CORES
    return max(1, min(share, largest))


class Member:
    """An actor: a workshop on some machine of the cluster."""

    def __init__(self, directory: str, level: int) -> None:
        os.chdir(directory)
        self._level = level
        self._workshop = Workshop()

    def version(self) -> str:
        """Of this package, as it is installed here."""
        return __version__

    def do(self, task: Task, board: Any) -> Outcome:  # noqa: ANN401 - Ray has no types
        """Track one video; Ray calls it again, on another actor, when this one dies of it."""
        import ray

        link = BoardLink(board)
        tried = bool(ray.get(board.begin.remote(task.number)))
        with log_told(task, link, self._level):
            return self._workshop.do(replace(task, again=tried), link)


class Board:
    """An actor between the workers and whoever watches: words one way, a stop the other."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._begun: set[int] = set()
        self._stop = False

    def begin(self, number: int) -> bool:
        """Note that a task begins; whether it had begun before."""
        before = number in self._begun
        self._begun.add(number)
        return before

    def post(self, event: Event) -> None:
        """Leave a word."""
        self._events.append(event)

    def take(self) -> list[Event]:
        """The words since the last time."""
        events, self._events = self._events, []
        return events

    def stop(self) -> None:
        """All should end."""
        self._stop = True

    def stopped(self) -> bool:
        """Whether all should end."""
        return self._stop


class BoardLink:
    """A worker's way to the board."""

    def __init__(self, board: Any) -> None:  # noqa: ANN401 - as above
        self._board = board
        self._asked_s = 0.0
        self._stop = False

    def tell(self, event: Event) -> None:
        """Post an event; nobody waits for it."""
        self._board.post.remote(event)

    def stop_asked(self) -> bool:
        """Whether the board says so; asked now and then, as it may be on another machine."""
        now_s = monotonic()
        if not self._stop and now_s - self._asked_s >= ASK_EVERY_S:
            import ray

            self._asked_s = now_s
            try:
                self._stop = bool(ray.get(self._board.stopped.remote(), timeout=ASK_EVERY_S))
            except ray.exceptions.RayError:
                self._stop = False
        return self._stop
