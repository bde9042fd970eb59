"""Runs functions in a process of its own: one core, fresh memory."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def on_one_core(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a new process whose numeric libraries use one thread.

    Libraries read their thread counts when they are loaded, so this cannot be had in a process
    that has loaded them. Function, arguments and result must be picklable.
    """
    with one_core() as pool:
        return pool.submit(function, *args, **kwargs).result()


@contextmanager
def one_core() -> Iterator[ProcessPoolExecutor]:
    """Such a process for several calls, which keeps what they imported."""
    spawn = multiprocessing.get_context("spawn")
    with one_thread(), ProcessPoolExecutor(1, mp_context=spawn) as pool:
        yield pool


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes that are started inside use one thread in their numeric libraries."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
