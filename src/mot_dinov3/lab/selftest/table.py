"""The scoreboard as aligned text for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mot_dinov3.lab.selftest.base import MeasureResult

WIDTHS = (14, 9, 9, 9)
MOST_FAILURES = 20
"""Failures that are shown of each measure; the JSON file has them all."""


@dataclass(frozen=True, slots=True)
class ScoreboardLine:
    """A line of the scoreboard.

    Attributes:
        name: the measure.
        bar: what has to hold.
        outcome: what came of it.
        seconds: how long it took.
    """

    name: str
    bar: str
    outcome: MeasureResult
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The line for the JSON file."""
        head = {"name": self.name, "bar": self.bar, "seconds": round(self.seconds, 1)}
        return {**head, **self.outcome.as_dict()}


def format_head() -> str:
    """Format the names of the columns."""
    return _line("measure", "done", "passed", "seconds", "bar")


def format_line(scored: ScoreboardLine, seed: int) -> str:
    """Format one measure, its failures and how each is repeated, then its notes."""
    outcome = scored.outcome
    if outcome.skipped:
        return _line(scored.name, "-", "-", "-", f"skipped: {outcome.skipped}")
    verdict = "met" if outcome.met else f"NOT MET, {outcome.asked} asked for"
    counts = str(outcome.done), str(outcome.passed), f"{scored.seconds:.1f}"
    lines = [_line(scored.name, *counts, f"{verdict}: {scored.bar}")]
    for failure in outcome.failures[:MOST_FAILURES]:
        lines.append(f"  {failure.case}: {failure.why}")
        lines.append(f"    again: selftest {scored.name} --case {failure.case} --seed {seed}")
    if len(outcome.failures) > MOST_FAILURES:
        lines.append(f"  and {len(outcome.failures) - MOST_FAILURES} more")
    return "\n".join([*lines, *(f"  {note}" for note in outcome.notes)])


def format_verdict(table: Sequence[ScoreboardLine]) -> str:
    """Format the last line: how many bars are met, missed and untested."""
    missed = [line.name for line in table if not line.outcome.met and not line.outcome.skipped]
    skipped = [line.name for line in table if line.outcome.skipped]
    met = len(table) - len(missed) - len(skipped)
    text = f"{met} of {len(table)} bars met"
    text += f"; missed: {', '.join(missed)}" if missed else ""
    return text + (f"; skipped: {', '.join(skipped)}" if skipped else "") + "."


def _line(name: str, done: str, passed: str, seconds: str, rest: str) -> str:
    cells = (done, passed, seconds)
    numbers = "".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS[1:], strict=True))
    return f"{name:<{WIDTHS[0]}}{numbers}   {rest}"
