"""What a benchmark is to the `bench` command, and what it hands back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from mot_dinov3.lab.benchmarks.context import BenchmarkContext

Figures: TypeAlias = dict[str, float]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must reach.

    Attributes:
        figure: its name in the row.
        limit: the last value that passes.
        at_least: whether more is better.
    """

    figure: str
    limit: float
    at_least: bool = False

    def met(self, figures: Figures) -> bool:
        """Whether the row passes; a missing figure does not."""
        value = figures.get(self.figure, float("nan"))
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{self.figure} {'>=' if self.at_least else '<='} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One measured case.

    Attributes:
        label: what was measured.
        figures: by name; the unit is in the name.
        bar: what they must reach.
        skipped: why nothing was measured, "" where something was.
    """

    label: str
    figures: Figures
    bar: Bar | None = None
    skipped: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The row for the JSON line."""
        out: dict[str, Any] = {"label": self.label, **self.figures}
        if self.skipped:
            return out | {"skipped": self.skipped}
        if self.bar is not None:
            out["bar"] = {"rule": str(self.bar), "met": self.bar.met(self.figures)}
        return out


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one benchmark: a headline that says what was measured, rows, and notes."""

    title: str
    rows: Sequence[ResultRow]
    notes: Sequence[str] = field(default_factory=tuple)

    def as_dict(self) -> dict[str, Any]:
        """The report for the JSON line."""
        rows = [row.as_dict() for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}


class Benchmark(Protocol):
    """Measures one thing."""

    def __call__(self, context: BenchmarkContext) -> Report:
        """Run it with the shared settings, clip and embedder of `context`."""
