"""Random moments in the life of a run, and waiting for them from outside."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

import numpy as np

from mot_dinov3.lab.selftest.program import LIMIT_S, Process

GLANCE_S = 0.001
MOST_JITTER_S = 0.03
INTERPRETER_S = 0.06
"""Processor time after which an interpreter has begun with the program."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens to a run.

    Attributes:
        lines: once its frame log has so many lines.
        busy_s: once it used so many seconds of processor time, which other work does not shift.
        after_s: seconds of the clock after both.
    """

    lines: int = 0
    busy_s: float = 0.0
    after_s: float = 0.0

    def __str__(self) -> str:
        since = f"line {self.lines}" if self.lines else f"{self.busy_s:.2f} s of work"
        return f"{1000 * self.after_s:.0f} ms after {since}"


def choose_running_moment(rng: np.random.Generator, frames: int) -> Moment:
    """Choose a moment between the first and the last frame."""
    return Moment(int(rng.integers(1, frames + 1)), after_s=float(rng.uniform(0, MOST_JITTER_S)))


def choose_starting_moment(rng: np.random.Generator, most_s: float) -> Moment:
    """Choose a moment before or while the first frames are tracked: imports, models, warm-up.

    The interpreter's own start comes before that: it shows a traceback when it is interrupted.
    """
    return Moment(busy_s=float(rng.uniform(INTERPRETER_S, most_s)))


def choose_finishing_moment(rng: np.random.Generator, frames: int) -> Moment:
    """Choose a moment about the end: the last frames, and what is written after them."""
    lines = frames - int(rng.integers(0, 4))
    return Moment(lines, after_s=float(rng.uniform(0, 10 * MOST_JITTER_S)))


def wait_for(moment: Moment, process: Process, frame_log: Path) -> bool:
    """Wait until a moment has come; False when the run was over before.

    Args:
        moment: what to wait for.
        process: the run.
        frame_log: the JSON lines that it is writing; the file may not exist yet.
    """
    given_up_s = perf_counter() + LIMIT_S
    seen, offset = 0, 0
    while seen < moment.lines or busy_s(process.pid) < moment.busy_s:
        if process.poll() is not None or perf_counter() > given_up_s:
            return False
        if frame_log.exists():
            with frame_log.open("rb") as file:
                file.seek(offset)
                new = file.read()
            seen, offset = seen + new.count(b"\n"), offset + len(new)
        sleep(GLANCE_S)
    sleep(moment.after_s)
    return process.poll() is None


def busy_s(process_id: int) -> float:
    """Seconds of a processor that a process took so far, infinite once it is gone."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return math.inf
    ticks = sum(map(int, text.rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")
