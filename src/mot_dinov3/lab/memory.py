"""How much memory a process holds, and how that grows."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

STATM = Path("/proc/self/statm")
SETTLED = 0.2
"""Share of a run after which growth counts."""


def resident_mb(read: Callable[[], str] = STATM.read_text) -> float:
    """Resident memory in MiB, of this process by default (proc(5): second number, in pages)."""
    return int(read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def memory_mb(statm: Path = STATM) -> float:
    """Resident memory in MiB, NaN where the system does not tell."""
    return resident_mb(statm.read_text) if statm.is_file() else math.nan


def peak_mb() -> float:
    """The most memory that this process ever had, in MiB, NaN where the system does not tell."""
    try:
        import resource
    except ImportError:
        return math.nan
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def slope_figures(used: Sequence[tuple[int, float]], settled: float = SETTLED) -> dict[str, float]:
    """First and last megabytes, and the slope after the settling time.

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
