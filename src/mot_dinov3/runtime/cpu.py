"""What this machine offers a network and what it took: threads, short numbers, peak memory."""

from __future__ import annotations

import math
import os
import sys
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
BF16_FLAGS = ("avx512_bf16", "amx_bf16")


def thread_count() -> int:
    """Threads for one model: `OMP_NUM_THREADS` where set, else the cores this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def cpu_flags() -> frozenset[str]:
    """Names of the processor's instruction sets, where the system tells; else none."""
    try:
        text = CPUINFO.read_text(errors="replace")
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.splitlines())
    first = next((tail for head, _, tail in lines if head.strip() in ("flags", "Features")), "")
    return frozenset(first.split())


def has_bf16() -> bool:
    """Whether products of bf16 numbers are faster here than those of float32."""
    return any(flag in cpu_flags() for flag in BF16_FLAGS)


def peak_mb() -> float:
    """The peak memory of this process in MiB, NaN where the system does not show it."""
    try:
        import resource
    except ImportError:
        return math.nan
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
