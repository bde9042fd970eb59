"""How long a person waits for `--help`."""

from __future__ import annotations

import os
import subprocess
import sys
from time import perf_counter

import numpy as np

from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import count_rounds
from mot_dinov3.lab.benchmarks.own_program import build_own_command

HELP_S = 0.3


def measure_help_time(context: BenchmarkContext) -> Report:
    """Measure seconds from the call to the end of `--help`, and of a Python that does nothing."""
    commands = {
        "cli.py --help": build_own_command("--help"),
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for words in commands.values():
        time_command(words)
    for _ in range(count_rounds(context.settings.rounds)):
        for name, words in commands.items():
            samples[name].append(time_command(words))
    asked, floor = (ResultRow(name, _summarise(values)) for name, values in samples.items())
    return Report(
        "seconds until --help is answered",
        [ResultRow(asked.label, asked.figures, Bar("p50_s", HELP_S)), floor],
    )


def time_command(words: list[str]) -> float:
    """Wall time of a command that must succeed."""
    started = perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=os.environ)
    return perf_counter() - started


def _summarise(values: list[float]) -> Figures:
    p50, p95 = np.percentile(values, [50, 95])
    return {"rounds": len(values), "p50_s": round(float(p50), 3), "p95_s": round(float(p95), 3)}
