"""The table of benchmarks; a new one is one file and one line here."""

from __future__ import annotations

from typing import cast

from mot_dinov3.lab.benchmarks.base import Benchmark
from mot_dinov3.registry import Registry

BENCHMARKS = Registry(
    "benchmark",
    {
        "budget": "mot_dinov3.lab.benchmarks.budget:budget",
        "jitter": "mot_dinov3.lab.benchmarks.jitter:jitter",
        "simulated": "mot_dinov3.lab.benchmarks.simulated:simulated",
        "planning": "mot_dinov3.lab.benchmarks.planning:planning",
        "association": "mot_dinov3.lab.benchmarks.association:association",
        "saving": "mot_dinov3.lab.benchmarks.saving:saving",
        "overhead": "mot_dinov3.lab.benchmarks.overhead:overhead",
        "overlap": "mot_dinov3.lab.benchmarks.overlap:overlap",
        "backends": "mot_dinov3.lab.benchmarks.backends:backends",
        "batch": "mot_dinov3.lab.benchmarks.batch:batch",
        "memory": "mot_dinov3.lab.benchmarks.memory:memory",
        "help-time": "mot_dinov3.lab.benchmarks.help_time:help_time",
        "peers": "mot_dinov3.lab.benchmarks.peers:peers",
        "whole-run": "mot_dinov3.lab.benchmarks.whole_run:whole_run",
        "reid-run": "mot_dinov3.lab.benchmarks.reid_run:reid_run",
        "tax": "mot_dinov3.lab.benchmarks.tax:tax",
        "scale": "mot_dinov3.lab.benchmarks.scale:scale",
    },
)

ON_REQUEST = {"backends", "batch", "peers", "whole-run", "reid-run", "tax", "scale"}
"""Benchmarks that take minutes or other people's programs: `all` leaves them out."""


def create_benchmark(name: str) -> Benchmark:
    """The benchmark behind a word of the command line."""
    return cast("Benchmark", BENCHMARKS.load(name))
