"""The machine that measures: what it is, processes with one core, and memory in use."""

from __future__ import annotations

import math
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from mot_dinov3 import __version__

P = ParamSpec("P")
T = TypeVar("T")

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

CPU_INFO = Path("/proc/cpuinfo")
STATM = Path("/proc/self/statm")
SETTLED = 0.2
"""Share of a run after which growth counts."""


def describe_machine() -> dict[str, Any]:
    """CPU model, cores, load before the start, and the versions that decide the speed."""
    from mot_dinov3.runs.session import versions

    return {
        "cpu": cpu_model(CPU_INFO.read_text() if CPU_INFO.is_file() else ""),
        "cores": usable_cores(),
        "load_1min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "mot_dinov3": __version__,
            "python": sys.version.split()[0],
            **versions(),
        },
    }


def cpu_model(cpu_info: str) -> str:
    """The first model name in the text of /proc/cpuinfo, or what Python knows of the CPU."""
    for line in cpu_info.splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() in ("model name", "hardware", "cpu model"):
            return value.strip()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_on_one_core(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a new process whose numeric libraries use one thread.

    Libraries read their thread counts when they are loaded, so this cannot be had in a process
    that has loaded them. Function, arguments and result must be picklable.
    """
    with open_one_core_pool() as pool:
        return pool.submit(function, *args, **kwargs).result()


@contextmanager
def open_one_core_pool() -> Iterator[ProcessPoolExecutor]:
    """Start such a process for several calls; it keeps what they imported."""
    spawn = multiprocessing.get_context("spawn")
    with limit_to_one_thread(), ProcessPoolExecutor(1, mp_context=spawn) as pool:
        yield pool


@contextmanager
def limit_to_one_thread() -> Iterator[None]:
    """Let processes that are started inside use one thread in their numeric libraries."""
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


def resident_mb(read: Callable[[], str] = STATM.read_text) -> float:
    """Resident memory in MiB, of this process by default (proc(5): second number, in pages)."""
    return int(read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def memory_mb(statm: Path = STATM) -> float:
    """Resident memory in MiB, NaN where the system does not show it."""
    return resident_mb(statm.read_text) if statm.is_file() else math.nan


def fit_memory_slope(
    used: Sequence[tuple[int, float]], settled: float = SETTLED
) -> dict[str, float]:
    """Fit a line to the memory in use: first and last megabytes, and the slope after settling.

    Args:
        used: (frame, MiB) pairs in order.
        settled: share of the run that does not count.
    """
    frame, mb = np.array(used, np.float64).T
    late = frame >= settled * frame[-1]
    slope = float(np.polyfit(frame[late], mb[late], 1)[0]) if late.sum() > 1 else 0.0
    return {
        "frames": int(frame[-1]),
        "start_mb": round(float(mb[late][0]), 2),
        "end_mb": round(float(mb[-1]), 2),
        "mb_per_1000": round(1000 * slope, 4),
    }
