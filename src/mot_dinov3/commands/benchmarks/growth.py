"""The exponent of growth, and the memory of a process."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mot_dinov3.commands.benchmarks.memory import STATM, resident_mb


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The e of cost ~ size^e: the slope of a line through the logarithms (least squares).

    NaN where fewer than two sizes cost anything.
    """
    size, cost = np.asarray(sizes, float), np.asarray(costs, float)
    good = (size > 0) & (cost > 0)
    if len(np.unique(size[good])) < 2:
        return math.nan
    return float(np.polyfit(np.log(size[good]), np.log(cost[good]), 1)[0])


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


def known(figures: dict[str, float]) -> dict[str, float]:
    """The figures that are numbers: JSON has no NaN."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}
