"""Tasks in several processes of this machine; one that dies loses no more than its task."""

from __future__ import annotations

import logging
import math
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from time import monotonic
from types import TracebackType
from typing import Self

from mot_dinov3.errors import EXIT_SIGTERM
from mot_dinov3.runs.batch.base import Event, LogLine, OnEvent, TaskOutcome
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.batch.work import TaskRunner, create_lost_outcome, forward_log
from mot_dinov3.runtime.cpu import thread_count
from mot_dinov3.runtime.device import may_have_gpu
from mot_dinov3.runtime.interruption import watch_signals

log = logging.getLogger("mot_dinov3")

WAIT_S = 0.2
LEAVE_S = 10.0
"""How long a process may take to end before it is killed."""
ASK_S = 3.0
"""How long a task may take to end after it was asked to, before its process gets SIGTERM."""
THREADS = "OMP_NUM_THREADS"
STOP, QUIT = "stop", "quit"
"""What a worker is sent: to end its task early, and to end itself."""


@dataclass
class Worker:
    """A process that tracks one video after another.

    Attributes:
        process: the process.
        link: our end of the pipe to it.
        place: from 0, different for all living processes.
        task: what it does now, None while it waits.
    """

    process: BaseProcess
    link: Connection
    place: int
    task: Task | None = None


class ProcessPool:
    """Hands tasks to at most `size` processes, each with models and a share of the cores.

    Args:
        size: how many processes.
        cores: threads that each computes with, 0 for an equal share of what this process may use.
    """

    def __init__(self, size: int, cores: int = 0) -> None:
        self.size = size
        self.cores = cores or max(1, thread_count() // size)
        self._workers: list[Worker] = []
        self._stopping = False
        self._terminate_s = math.inf

    @property
    def free(self) -> int:
        """How many more tasks may begin now."""
        return self.size - sum(worker.task is not None for worker in self._workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            with suppress(OSError):
                worker.link.send(QUIT)
            if kind is not None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(LEAVE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.link.close()
        self._workers.clear()

    def begin(self, task: Task) -> None:
        """Hand a task to a process that waits, or to a new one."""
        idle = [worker for worker in self._workers if worker.task is None and not task.again]
        worker = idle[0] if idle else self._start_worker()
        worker.task = task
        with suppress(OSError):  # it is dead already, which `work` finds out
            worker.link.send(task)

    def _start_worker(self) -> Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        taken = {worker.place for worker in self._workers}
        place = next(place for place in range(self.size) if place not in taken)
        arguments = (theirs, self.cores, place, log.getEffectiveLevel())
        process = context.Process(target=serve, args=arguments, name="mot-worker", daemon=True)
        with block_sigint(), limit_threads(self.cores):
            process.start()
        theirs.close()
        worker = Worker(process, ours, place)
        self._workers.append(worker)
        return worker

    def work(self, on_event: OnEvent) -> None:
        """Wait a moment for events of the processes; the pipe of a dead one ends."""
        if monotonic() > self._terminate_s:
            self._terminate_s = math.inf
            for worker in (worker for worker in self._workers if worker.task is not None):
                worker.process.terminate()  # reaches one whose network does not answer
        workers = {worker.link: worker for worker in self._workers}
        for link in wait(list(workers), WAIT_S):
            worker = workers[link]  # type: ignore[index]
            try:
                event = worker.link.recv()
            except (EOFError, OSError):
                self._replace_dead(worker, on_event)
                continue
            if isinstance(event, TaskOutcome):
                worker.task = None
            on_event(event)

    def _replace_dead(self, worker: Worker, on_event: OnEvent) -> None:
        """Let another process try the task of a dead one once more."""
        worker.process.join()
        worker.link.close()
        self._workers.remove(worker)
        task, how = worker.task, describe_death(worker.process.exitcode or 0)
        if task is None:
            return
        if self._stopping:
            on_event(TaskOutcome(task.name, task.source, EXIT_SIGTERM, f"Its worker died, {how}."))
        elif task.again:
            killed = worker.process.exitcode == -signal.SIGKILL
            on_event(create_lost_outcome(task, how, killed=killed))
        else:
            message = f"its worker died, {how}; it is tried again"
            on_event(LogLine(task.name, logging.WARNING, message))
            self.begin(replace(task, again=True))

    def stop(self) -> None:
        """Request an early and orderly end of the running tasks."""
        if not self._stopping:
            self._terminate_s = monotonic() + ASK_S
        self._stopping = True
        for worker in self._workers:
            with suppress(OSError):
                worker.link.send(STOP)


def describe_death(code: int) -> str:
    """How a process ended, from its exit code."""
    try:
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    except ValueError:
        return f"by signal {-code}"


@contextmanager
def block_sigint() -> Iterator[None]:
    """Processes started inside never get SIGINT, which a terminal sends to all at once."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextmanager
def limit_threads(cores: int) -> Iterator[None]:
    """Libraries of processes started inside compute with `cores` threads, or as a variable says."""
    if THREADS in os.environ:
        yield
        return
    os.environ[THREADS] = str(cores)
    try:
        yield
    finally:
        del os.environ[THREADS]


def serve(pipe: Connection, cores: int, place: int, level: int) -> None:
    """The main function of a worker process: runs tasks until the pipe ends or says so.

    Args:
        pipe: tasks come in, events go out.
        cores: threads to compute with.
        place: which of several GPUs to take.
        level: of the log lines that are sent.
    """
    import cv2

    cv2.setNumThreads(cores)
    runner, link = TaskRunner(), PipeLink(pipe)
    with watch_signals():
        while (task := link.next_task()) is not None:
            with forward_log(task, link, level):
                outcome = runner.run(assign_gpu(task, place), link)
            link.send(outcome)


def assign_gpu(task: Task, place: int) -> Task:
    """The task on one of several GPUs, unless the user named one.

    Args:
        task: the task.
        place: of the worker; workers take the GPUs in turn.
    """
    device = task.config.device
    is_named = device.cpu or device.device.strip().lower() not in ("auto", "cuda")
    if is_named or not may_have_gpu():
        return task
    import torch

    count = torch.cuda.device_count()
    if count < 2:
        return task
    chosen = replace(device, device=f"cuda:{place % count}")
    return replace(task, config=replace(task.config, device=chosen))


class PipeLink:
    """The worker's end of the pipe; the process at the other end may have died."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._stop = False

    def next_task(self) -> Task | None:
        """Wait for a task; None when there will be no more."""
        while not self._stop:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                return None
            if isinstance(message, Task):
                return message
            self._stop = True
        return None

    def send(self, event: Event) -> None:
        """Send an event; if the other end is gone, the task should end."""
        try:
            self._pipe.send(event)
        except OSError:
            self._stop = True

    def stop_requested(self) -> bool:
        """Whether the batch wants the task to end, or is gone itself."""
        try:
            while not self._stop and self._pipe.poll():
                self._pipe.recv()
                self._stop = True
        except (EOFError, OSError):
            self._stop = True
        return self._stop
