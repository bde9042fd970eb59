"""Random moments in the life of a run, and waiting for them from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

import numpy as np

from mot_dinov3.selftest.program import LIMIT_S, Process

GLANCE_S = 0.001
MOST_JITTER_S = 0.03


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens to a run.

    Attributes:
        lines: once its journal has so many lines; before that it is not looked at.
        after_s: seconds after that, or after the start when `lines` is 0.
    """

    lines: int
    after_s: float

    def __str__(self) -> str:
        return f"{1000 * self.after_s:.0f} ms after " + (
            f"line {self.lines}" if self.lines else "the start"
        )


def while_running(rng: np.random.Generator, frames: int) -> Moment:
    """A moment between the first and the last frame."""
    return Moment(int(rng.integers(1, frames + 1)), float(rng.uniform(0, MOST_JITTER_S)))


def while_starting(rng: np.random.Generator, most_s: float) -> Moment:
    """A moment before or while the first frames are tracked: imports, models, warm-up."""
    return Moment(0, float(rng.uniform(0, most_s)))


def while_finishing(rng: np.random.Generator, frames: int) -> Moment:
    """A moment about the end: the last frames, and what is written after them."""
    return Moment(frames - int(rng.integers(0, 4)), float(rng.uniform(0, 10 * MOST_JITTER_S)))


def wait_for(moment: Moment, process: Process, journal: Path) -> bool:
    """Wait until a moment has come; False when the run was over before.

    Args:
        moment: what to wait for.
        process: the run.
        journal: the JSON lines that it is writing, not there yet perhaps.
    """
    given_up_s = perf_counter() + LIMIT_S
    seen, offset = 0, 0
    while seen < moment.lines and perf_counter() < given_up_s:
        if process.poll() is not None:
            return False
        if journal.exists():
            with journal.open("rb") as file:
                file.seek(offset)
                new = file.read()
            seen, offset = seen + new.count(b"\n"), offset + len(new)
        sleep(GLANCE_S)
    sleep(moment.after_s)
    return process.poll() is None
