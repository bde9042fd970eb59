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
            "mot_dinov3.lab.benchmarks.budget:measure_budget",
            "the embedding budget on the real clock",
        ),
        "unsteadiness": (
            "mot_dinov3.lab.benchmarks.unsteadiness:measure_machine",
            "how unsteady the machine itself is",
        ),
        "simulated": (
            "mot_dinov3.lab.benchmarks.simulated:simulate_budget",
            "the budget on a simulated clock",
        ),
        "planning": (
            "mot_dinov3.lab.benchmarks.planning:measure_planning",
            "what planning costs a frame",
        ),
        "association": (
            "mot_dinov3.lab.benchmarks.association:measure_association",
            "what planning and association cost a frame",
        ),
        "saving": (
            "mot_dinov3.lab.benchmarks.saving:measure_saving",
            "what scheduling saves, and whether the tracks stay the same",
        ),
        "overhead": (
            "mot_dinov3.lab.benchmarks.overhead:measure_overhead",
            "all but detector and embedder",
        ),
        "overlap": (
            "mot_dinov3.lab.benchmarks.concurrency:measure_concurrency",
            "the run with threads beside the run without",
        ),
        "backends": (
            "mot_dinov3.lab.benchmarks.backends:measure_backends",
            "detector and embedder with every backend and precision",
        ),
        "batch": (
            "mot_dinov3.lab.benchmarks.batch:measure_batches",
            "what a crop costs by batch size",
        ),
        "cameras": (
            "mot_dinov3.lab.benchmarks.cameras:measure_cameras",
            "cameras in one process, and in a process each",
        ),
        "memory": ("mot_dinov3.lab.benchmarks.memory:measure_memory", "whether memory stays flat"),
        "help-time": (
            "mot_dinov3.lab.benchmarks.help_time:measure_help_time",
            "how long --help takes",
        ),
        "jitter": (
            "mot_dinov3.lab.benchmarks.jitter:measure_jitter",
            "accuracy when every box is moved a little",
        ),
        "peers": (
            "mot_dinov3.lab.benchmarks.peers:measure_peers",
            "other trackers on the same detections",
        ),
        "whole-run": (
            "mot_dinov3.lab.benchmarks.whole_run:measure_whole_run",
            "the whole run beside yolo track",
        ),
        "reid-run": (
            "mot_dinov3.lab.benchmarks.reid_run:measure_reid_run",
            "the whole run with re-identification beside BoxMOT",
        ),
        "tax": (
            "mot_dinov3.lab.benchmarks.tax:measure_tax",
            "the whole run over the detector alone",
        ),
        "scale": (
            "mot_dinov3.lab.benchmarks.scale:measure_scale",
            "growth with objects, pixels and frames",
        ),
    },
)

ON_REQUEST = {
    *("backends", "batch", "cameras", "jitter", "peers", "whole-run", "reid-run", "tax", "scale"),
}
"""Benchmarks that take minutes, other people's programs or ground truth: `all` leaves them out."""

WITH_CAMERA = {"jitter"}
"""Benchmarks in which the camera may move; the others replay recordings, which hold no motion."""


def create_benchmark(name: str) -> Benchmark:
    """Load the benchmark behind a word of the command line."""
    return cast("Benchmark", BENCHMARKS.load(name))
