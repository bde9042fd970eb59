"""Whole programs in turn on one clip: frames a second, and seconds to the first frame."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mot_dinov3.lab.benchmarks.base import Bar, Figures, ResultRow
from mot_dinov3.lab.benchmarks.figures import compare_rounds
from mot_dinov3.lab.benchmarks.program import Program, ProgramError, ProgramTimes, watch

log = logging.getLogger("mot_dinov3")


@dataclass(slots=True)
class Entrant:
    """A program in a race: what its runs showed, or why it has none."""

    program: Program | None = None
    seen: list[ProgramTimes] = field(default_factory=list)
    problem: str = ""

    @property
    def fps(self) -> list[float]:
        """Frames a second, run by run."""
        return [one.fps for one in self.seen]

    @property
    def first_s(self) -> list[float]:
        """Seconds from the command to the first frame, run by run."""
        return [one.first_s for one in self.seen]

    def figures(self) -> Figures:
        """Medians over the runs."""
        return {
            "frames": self.seen[-1].frames,
            "fps": round(float(np.median(self.fps)), 2),
            "first_frame_s": round(float(np.median(self.first_s)), 2),
        }


def race(entrants: Mapping[str, Entrant], rounds: int) -> None:
    """Run all programs in turn, round after round, after one run each that does not count.

    A program that fails is left out from then on and keeps the problem; without the first, which
    is ours, there is nothing to compare with.
    """
    ours = next(iter(entrants.values()))
    for turn in range(rounds + 1):
        for label, entrant in entrants.items():
            if ours.problem:
                return
            if entrant.problem or entrant.program is None:
                continue
            try:
                seen = watch(entrant.program)
            except ProgramError as error:
                entrant.problem, entrant.seen = str(error), []
                log.warning("%s: %s", label, error)
                continue
            log.info("%s, round %d: %.1f frames a second", label, turn, seen.fps)
            if turn:
                entrant.seen.append(seen)


def build_rows(
    ours: Entrant, others: Mapping[str, Entrant], bars: Mapping[str, float]
) -> list[ResultRow]:
    """Build a row for each of the others: its speed, and how many times ours is of that."""
    rows = []
    for label, entrant in others.items():
        if not entrant.seen:
            rows.append(ResultRow(label, {}, skipped=entrant.problem or "ours did not run"))
            continue
        figures = entrant.figures()
        if ours.seen:
            figures |= compare_rounds(ours.fps, entrant.fps, "ratio")
        bar = Bar("ratio", bars[label], at_least=True) if label in bars else None
        rows.append(ResultRow(label, figures, bar))
    return rows
