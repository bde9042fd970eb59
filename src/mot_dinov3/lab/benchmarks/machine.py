"""What ran the benchmark: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.runs.session import versions

CPU_INFO = Path("/proc/cpuinfo")


def describe_machine() -> dict[str, Any]:
    """CPU model, cores, load before the start, and the versions that decide the speed."""
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
