"""Runs many numbered trials in processes of their own, so that a crash or a hang is one result.

A library in C may crash its process, wait for ever, or ask for all memory. So trials run in
workers with a limit of memory, and the thread that waits for an answer knows which trial failed.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock, local
from time import perf_counter
from typing import Any, Self, TypeAlias

from mot_dinov3.lab.benchmarks.machine import limit_to_one_thread
from mot_dinov3.lab.selftest.base import Failure, MeasureContext, MeasureResult

GIB = 2**30
START_S = 60.0
"""How long a worker may take to import what its trial needs."""
READY = "ready"
STARTING = Lock()
"""Variables are set for a worker's start, and only one may set them at a time."""

SAY_EVERY_S = 10.0

Trial: TypeAlias = Callable[..., str]
"""`trial(number, *arguments)` says what went wrong, "" for nothing; a function of a module."""


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """What a trial may take.

    Attributes:
        seconds: until it counts as hanging.
        memory_bytes: address space of its process, 0 for no limit.
    """

    seconds: float = 20.0
    memory_bytes: int = 4 * GIB


def run_trials(
    context: MeasureContext,
    whole: int,
    trial: Trial,
    arguments: tuple[Any, ...] = (),
    limits: TrialLimits | None = None,
) -> MeasureResult:
    """Run the trials 0, 1, ... of a measure, or the one that was asked for by its number.

    Args:
        context: how many trials, the seed, and how many workers.
        whole: trials that the bar asks for.
        trial: called with its number, the seed of `context` and `arguments`, which can be pickled.
        arguments: what every trial needs.
        limits: what a trial may take.
    """
    if context.only and not context.only.isdecimal():
        return MeasureResult(
            whole, skipped=f"no case '{context.only}': the cases are numbers from 0"
        )
    numbers = [int(context.only)] if context.only else range(context.count_cases(whole))
    failures, said_s = [], perf_counter()
    with (
        ThreadPoolExecutor(context.workers) as pool,
        TrialWorkers(trial, (context.seed, *arguments), limits or TrialLimits()) as crew,
    ):
        for number, problem in enumerate(pool.map(crew.run, numbers)):
            if problem:
                failures.append(Failure(str(numbers[number]), problem))
            if perf_counter() - said_s > SAY_EVERY_S:
                said_s = perf_counter()
                context.say(f"{number + 1:,} of {len(numbers):,}, {len(failures)} failed")
    done = len(numbers)
    return MeasureResult(done, done, done - len(failures), failures)


class TrialWorkers:
    """A worker for each thread that asks for one."""

    def __init__(self, trial: Trial, arguments: tuple[Any, ...], limits: TrialLimits) -> None:
        self._parts = trial, arguments, limits
        self._mine = local()
        self._all: list[TrialWorker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        for worker in self._all:
            worker.stop()

    def run(self, number: int) -> str:
        """Run a trial in this thread's worker; returns what went wrong."""
        worker = getattr(self._mine, "worker", None)
        if worker is None:
            worker = self._mine.worker = TrialWorker(*self._parts)
            self._all.append(worker)
        return worker.run(number)


class TrialWorker:
    """A process that runs one trial after another, replaced when it dies or hangs."""

    def __init__(self, trial: Trial, arguments: tuple[Any, ...], limits: TrialLimits) -> None:
        self._work = (trial, arguments, limits.memory_bytes)
        self._seconds = limits.seconds
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def run(self, number: int) -> str:
        """Run one trial; what went wrong in words, "" for nothing."""
        try:
            line = self._line or self._start()
            line.send(number)
            if not line.poll(self._seconds):
                self.stop()
                return f"hangs: no answer after {self._seconds:g} s"
            return str(line.recv())
        except (EOFError, OSError):
            return self._describe_death()

    def _start(self) -> Connection:
        spawn = multiprocessing.get_context("spawn")
        self._line, theirs = spawn.Pipe()
        self._process = spawn.Process(target=serve, args=(theirs, *self._work), daemon=True)
        with STARTING, limit_to_one_thread():
            self._process.start()
        theirs.close()
        if not self._line.poll(START_S) or self._line.recv() != READY:
            raise EOFError("the worker did not start")
        return self._line

    def _describe_death(self) -> str:
        process = self._process
        if process is None:
            return "the worker did not start"
        process.join(START_S)
        code = process.exitcode or 0
        self.stop()
        return f"crashed: {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"

    def stop(self) -> None:
        """End the process; the next trial starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._line is not None:
            self._line.close()
        self._process = self._line = None


def serve(line: Connection, trial: Trial, arguments: tuple[Any, ...], memory_bytes: int) -> None:
    """Answer each number that arrives with the words of its trial, until the line is closed."""
    logging.disable()
    if memory_bytes:
        limit_memory(memory_bytes)
    line.send(READY)
    with suppress(EOFError):
        while True:
            number = line.recv()
            try:
                problem = trial(number, *arguments)
            except Exception as error:
                # Any exception that escapes is what is looked for.
                problem = f"uncaught {type(error).__name__}: {error}"
            line.send(problem)


def limit_memory(most_bytes: int) -> None:
    """Bound the address space of this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
