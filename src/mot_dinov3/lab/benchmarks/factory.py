"""The table of benchmarks; a new one is one file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.lab.benchmarks.base import Benchmark

BENCHMARKS = Registry(
    "benchmark",
    {
        "budget": (
            "mot_dinov3.lab.benchmarks.budget:budget",
            "the embedding budget on the real clock",
        ),
        "jitter": ("mot_dinov3.lab.benchmarks.jitter:jitter", "how unsteady the machine itself is"),
        "simulated": (
            "mot_dinov3.lab.benchmarks.simulated:simulated",
            "the budget on a simulated clock",
        ),
        "planning": ("mot_dinov3.lab.benchmarks.planning:planning", "what planning costs a frame"),
        "association": (
            "mot_dinov3.lab.benchmarks.association:association",
            "what planning and association cost a frame",
        ),
        "saving": (
            "mot_dinov3.lab.benchmarks.saving:saving",
            "what scheduling saves, and whether the tracks stay the same",
        ),
        "overhead": (
            "mot_dinov3.lab.benchmarks.overhead:overhead",
            "all but detector and embedder",
        ),
        "overlap": (
            "mot_dinov3.lab.benchmarks.overlap:overlap",
            "the run with threads beside the run without",
        ),
        "backends": (
            "mot_dinov3.lab.benchmarks.backends:backends",
            "detector and embedder with every backend and precision",
        ),
        "batch": ("mot_dinov3.lab.benchmarks.batch:batch", "what a crop costs by batch size"),
        "memory": ("mot_dinov3.lab.benchmarks.memory:memory", "whether memory stays flat"),
        "help-time": ("mot_dinov3.lab.benchmarks.help_time:help_time", "how long --help takes"),
        "peers": ("mot_dinov3.lab.benchmarks.peers:peers", "other trackers on the same detections"),
        "whole-run": (
            "mot_dinov3.lab.benchmarks.whole_run:whole_run",
            "the whole run beside yolo track",
        ),
        "reid-run": (
            "mot_dinov3.lab.benchmarks.reid_run:reid_run",
            "the whole run with re-identification beside BoxMOT",
        ),
        "tax": ("mot_dinov3.lab.benchmarks.tax:tax", "the whole run over the detector alone"),
        "scale": (
            "mot_dinov3.lab.benchmarks.scale:scale",
            "growth with objects, pixels and frames",
        ),
    },
)

ON_REQUEST = {"backends", "batch", "peers", "whole-run", "reid-run", "tax", "scale"}
"""Benchmarks that take minutes or other people's programs: `all` leaves them out."""


def create_benchmark(name: str) -> Benchmark:
    """The benchmark behind a word of the command line."""
    return cast("Benchmark", BENCHMARKS.load(name))
