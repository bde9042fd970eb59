"""Charts as plain values that plotly draws: the parts of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.report.frames import Column

Trace = dict[str, Any]

INK, MUTED, ACCENT = "@ink", "@muted", "@accent"
"""Colours that the page takes from its light or dark theme."""
MS = "%{y:.2f} ms"
COUNT = "%{y:.0f}"
DIGITS = 3
CROWDED = 1500
"""Points from which lines are drawn thin."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawing.

    Attributes:
        key: its name in the page.
        title: says what it shows.
        note: says how to read it, in a sentence or two.
        traces: of plotly; names in them went through `escape_text`.
        layout: where it differs from the usual layout of the page.
        height: in pixels.
        thinned: says below the drawing that points were left out, "" if none were.
        over_frames: the x axis shows frames; otherwise each point carries its frame.
    """

    key: str
    title: str
    note: str
    traces: list[Trace]
    layout: dict[str, Any] = field(default_factory=dict)
    height: int = 260
    thinned: str = ""
    over_frames: bool = True

    def as_dict(self) -> dict[str, Any]:
        """What the page's script needs."""
        seek = "frames" if self.over_frames else "points"
        return {"key": self.key, "traces": self.traces, "layout": self.layout, "seek": seek}


def escape_text(text: str) -> str:
    """Text that plotly shows literally; it would interpret some HTML tags, links among them."""
    return escape(text, quote=False).replace("\n", " ").replace("$", "&#36;")


def to_values(column: Column, rows: NDArray[np.int64]) -> list[float | None]:
    """Chosen values of a column, rounded; None for NaN."""
    return [None if v != v else v for v in column[rows].round(DIGITS).tolist()]


def draw_line(name: str, x: Sequence[Any], y: Sequence[Any], **more: Any) -> Trace:  # noqa: ANN401
    """A line of points."""
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, **more}


def choose_width(points: int, width: float) -> float:
    """Width of a line of so many points: lines of long series are thinner."""
    return width if points <= CROWDED else round(width * 0.45, 2)


def describe_left_out(drawn: int, all_of_them: int, what: str = "frames") -> str:
    """The text below a chart in which points were left out, "" where none were."""
    if drawn >= all_of_them:
        return ""
    return f"{drawn:,} of {all_of_them:,} {what} drawn; the extremes of every stretch are kept."
