"""What a measure of the scoreboard is, what it works with, and what it hands back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from zlib import crc32

import numpy as np

T = TypeVar("T")
QUICK_SHARE = 0.1
"""Part of the cases that run without `--full`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that did not hold.

    Attributes:
        case: its name, which `--case` takes to run it again alone with the same seed.
        why: one sentence.
    """

    case: str
    why: str


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """What came of one measure.

    Attributes:
        asked: cases that the bar asks for.
        done: cases that ran.
        passed: those of them that held.
        failures: the others; the first ones are enough where there are very many.
        notes: figures beside the count, and which cases could not run here.
        skipped: why nothing was measured, "" where something was. It is not passed then.
    """

    asked: int
    done: int = 0
    passed: int = 0
    failures: Sequence[Failure] = ()
    notes: Sequence[str] = ()
    skipped: str = ""

    @property
    def met(self) -> bool:
        """Whether every case that was asked for ran and held."""
        return not self.skipped and self.passed == self.done and self.done >= self.asked

    def as_dict(self) -> dict[str, Any]:
        """The outcome for the JSON file."""
        failures = [{"case": failure.case, "why": failure.why} for failure in self.failures]
        counts = {"asked": self.asked, "done": self.done, "passed": self.passed, "met": self.met}
        words = {"failures": failures, "notes": list(self.notes), "skipped": self.skipped}
        return {**counts, **words}


def _say_nothing(line: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class MeasureContext:
    """What a measure works with.

    Attributes:
        program: the words that start the command line as a process of its own.
        directory: an empty directory of the measure's own.
        seed: everything random comes from it, see `create_rng`.
        full: run as many cases as the bar has, not a tenth of them.
        only: the name of the one case to run, "" for all.
        workers: cases that may run at the same time.
        say: called with a line about the progress from time to time.
        device: of the measure `gpu`, as after `--device`.
    """

    program: tuple[str, ...]
    directory: Path
    seed: int = 0
    full: bool = False
    only: str = ""
    workers: int = 2
    say: Callable[[str], None] = field(default=_say_nothing)
    device: str = "auto"

    def count_cases(self, whole: int) -> int:
        """Count how many of the bar's `whole` cases to run: all, or a tenth, at least one."""
        return whole if self.full else max(1, math.ceil(whole * QUICK_SHARE))

    def choose_cases(self, table: Sequence[T]) -> list[T]:
        """Choose all of a table of cases, or a random tenth of them, in its order."""
        chosen = self.create_rng("choice").permutation(len(table))[: self.count_cases(len(table))]
        return [table[row] for row in sorted(chosen)]

    def create_rng(self, case: str) -> np.random.Generator:
        """Create the random numbers of one case: the same for the same seed."""
        return np.random.default_rng([self.seed, crc32(case.encode())])


class Measure(Protocol):
    """Breaks one thing many times and counts how often what was promised held."""

    def __call__(self, context: MeasureContext) -> MeasureResult:
        """Run it; what cannot run here says so in `MeasureResult.skipped`."""
