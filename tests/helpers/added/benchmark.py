"""A benchmark that is added by this file and one line of the table: how many frames are asked."""

from __future__ import annotations

from mot_dinov3.lab.benchmarks.base import Report, ResultRow

LINE = ("helpers.added.benchmark:measure_rounds", "how many rounds were asked for")


def measure_rounds(context):
    return Report("Rounds", [ResultRow("asked", {"rounds": context.settings.rounds})])
