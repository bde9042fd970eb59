"""Tasks side by side in processes of this machine; one that dies loses no more than its task."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from mot_dinov3.errors import EXIT_SIGTERM
from mot_dinov3.runs.batch.base import Event, Hear, Outcome, Said
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.runs.batch.work import Workshop, log_told, lost
from mot_dinov3.runtime.cpu import thread_count
from mot_dinov3.runtime.device import may_have_gpu

log = logging.getLogger("mot_dinov3")

WAIT_S = 0.2
LEAVE_S = 10.0
"""How long a process may take to end before it is killed."""
THREADS = "OMP_NUM_THREADS"
STOP, GO_HOME = "stop", "go home"


@dataclass
class Worker:
    """A process that tracks one video after another.

    Attributes:
        process: it.
        link: this side of the pipe to it.
        place: from 0, its own among those that live.
        task: what it does now, None while it waits.
    """

    process: BaseProcess
    link: Connection
    place: int
    task: Task | None = None


class ProcessCrew:
    """Hands tasks to at most `size` processes, each with its models and its share of the cores.

    Args:
        size: how many processes.
        cores: threads that each computes with, 0 for an equal share of what this process may use.
    """

    def __init__(self, size: int, cores: int = 0) -> None:
        self.size = size
        self.cores = cores or max(1, thread_count() // size)
        self._workers: list[Worker] = []
        self._stopping = False

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
                worker.link.send(GO_HOME)
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
        worker = idle[0] if idle else self._hired()
        worker.task = task
        with suppress(OSError):  # it is dead already, which `work` finds out
            worker.link.send(task)

    def _hired(self) -> Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        taken = {worker.place for worker in self._workers}
        place = next(place for place in range(self.size) if place not in taken)
        words = (theirs, self.cores, place, log.getEffectiveLevel())
        process = context.Process(target=serve, args=words, name="mot-worker", daemon=True)
        with deaf_to_sigint(), threads_limited_to(self.cores):
            process.start()
        theirs.close()
        worker = Worker(process, ours, place)
        self._workers.append(worker)
        return worker

    def work(self, hear: Hear) -> None:
        """Wait a moment for words of the processes; a death is told by the end of the pipe."""
        links = {worker.link: worker for worker in self._workers}
        for link in wait(list(links), WAIT_S):
            worker = links[link]  # type: ignore[index]
            try:
                event = worker.link.recv()
            except (EOFError, OSError):
                self._bury(worker, hear)
                continue
            if isinstance(event, Outcome):
                worker.task = None
            hear(event)

    def _bury(self, worker: Worker, hear: Hear) -> None:
        """Do what can be done for the task of a dead process: another one tries once more."""
        worker.process.join()
        worker.link.close()
        self._workers.remove(worker)
        task, how = worker.task, death(worker.process.exitcode or 0)
        if task is None:
            return
        if self._stopping:
            hear(Outcome(task.name, task.source, EXIT_SIGTERM, f"Its worker died, {how}."))
        elif task.again:
            hear(lost(task, how, killed=worker.process.exitcode == -signal.SIGKILL))
        else:
            hear(Said(task.name, logging.WARNING, f"its worker died, {how}; it is tried again"))
            self.begin(replace(task, again=True))

    def stop(self) -> None:
        """Ask the busy processes to end their videos early, in order."""
        self._stopping = True
        for worker in self._workers:
            with suppress(OSError):
                worker.link.send(STOP)


def death(code: int) -> str:
    """How a process ended, from its exit code."""
    try:
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    except ValueError:
        return f"by signal {-code}"


@contextmanager
def deaf_to_sigint() -> Iterator[None]:
    """Processes started inside never hear SIGINT, which a terminal sends to all at once."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextmanager
def threads_limited_to(cores: int) -> Iterator[None]:
    """Libraries of processes started inside compute with so many threads, unless the user said."""
    if THREADS in os.environ:
        yield
        return
    os.environ[THREADS] = str(cores)
    try:
        yield
    finally:
        del os.environ[THREADS]


def serve(pipe: Connection, cores: int, place: int, level: int) -> None:
    """What a worker process does: tasks, until it is sent home or nobody is left to tell."""
    import cv2

    cv2.setNumThreads(cores)
    workshop, link = Workshop(), PipeLink(pipe)
    while (task := link.next_task()) is not None:
        with log_told(task, link, level):
            outcome = workshop.do(on_own_gpu(task, place), link)
        link.tell(outcome)


def on_own_gpu(task: Task, place: int) -> Task:
    """The task on the GPU whose turn it is, where there are several and none was named."""
    device = task.config.device
    named = device.cpu or device.device.strip().lower() not in ("auto", "cuda")
    if named or not may_have_gpu():
        return task
    import torch

    count = torch.cuda.device_count()
    if count < 2:
        return task
    chosen = replace(device, device=f"cuda:{place % count}")
    return replace(task, config=replace(task.config, device=chosen))


class PipeLink:
    """The other side of a worker's pipe. Whoever is at its end may have died."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._stop = False

    def next_task(self) -> Task | None:
        """Wait for a task; None when there will be no more."""
        while not self._stop:
            try:
                word = self._pipe.recv()
            except (EOFError, OSError):
                return None
            if isinstance(word, Task):
                return word
            self._stop = True
        return None

    def tell(self, event: Event) -> None:
        """Send an event; if nobody is there to hear it, the task should end."""
        try:
            self._pipe.send(event)
        except OSError:
            self._stop = True

    def stop_asked(self) -> bool:
        """Whether the word was sent, or whoever could send it is gone."""
        try:
            while not self._stop and self._pipe.poll():
                self._pipe.recv()
                self._stop = True
        except (EOFError, OSError):
            self._stop = True
        return self._stop
