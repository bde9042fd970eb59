"""How cost and memory grow with objects, with pixels and with the length of a video."""

from __future__ import annotations

from mot_dinov3.lab.benchmarks.base import Report
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.scale_frames import measure_frames
from mot_dinov3.lab.benchmarks.scale_objects import measure_objects
from mot_dinov3.lab.benchmarks.scale_pixels import measure_pixels


def measure_scale(context: BenchmarkContext) -> Report:
    """Measure milliseconds and megabytes for more and more of everything, and their growth."""
    rows = [*measure_objects(context), *measure_pixels(context), *measure_frames(context)]
    notes = [
        "objects: planning, scheduling and tracking of a crowd that is seen in every frame, in an "
        "area that stays the same; processor time. pixels: one clip in several sizes, with the "
        "same boxes. frames: tracker and text outputs, one long run. One thread for numeric "
        "libraries.",
        "growth: the exponent e of cost ~ n^e, fitted to the logarithms. rss_mb: memory in use "
        "at the end over that before the start; peak_mb: the most over that before the start.",
    ]
    return Report("growth of cost and memory", rows, notes)
