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

INK, MUTED, ACCENT, CARD, GRID = "@ink", "@muted", "@accent", "@card", "@line"
"""Colours that the page takes from its light or dark theme."""
MS = "%{y:.2f} ms"
COUNT = "%{y:.0f}"
DIGITS = 3
USUAL_SHARE, ROOM = 0.95, 1.25
"""The share of the frames that an axis shows whole, and how much further it goes."""
MOST_STRETCHED = 2.0
"""An axis goes on to the highest value where that makes it no longer than by this factor."""
MOST_LEVELS, BUSY_SHARE = 4.0, 0.75
"""An axis with a level ends at this multiple of it, where it shows so many frames whole."""
CROWDED = 1500
"""Points from which lines are drawn thin."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawing.

    Attributes:
        key: its name in the page.
        title: says what it shows.
        note: says how to read it, in one line.
        traces: of plotly; names in them went through `escape_text`.
        layout: where it differs from the usual layout of the page.
        height: in pixels.
        thinned: says behind the note what is not drawn or lies beyond the axis, "" for nothing.
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
    """The text of a chart in which points were left out, "" where none were."""
    if drawn >= all_of_them:
        return ""
    return f"{drawn:,} of {all_of_them:,} {what} drawn; the extremes of every stretch are kept."


def find_usual_top(columns: Sequence[Column], levels: Sequence[float] = ()) -> float:
    """The end of an axis before zooming: some slow frames must not flatten all the others.

    Args:
        columns: what is drawn, each (F,); NaN is not known.
        levels: values that have to be seen in any case, such as a budget.
    """
    known = [values for column in columns if len(values := column[~np.isnan(column)])]
    level = max(levels, default=0.0)
    top = max(0.1, ROOM * level, *(ROOM * _quantile(values, USUAL_SHARE) for values in known))
    if level:
        busy = [ROOM * _quantile(values, BUSY_SHARE) for values in known]
        top = min(top, max(MOST_LEVELS * level, *busy))
    whole = 1.05 * max(0.1, level, *(float(values.max()) for values in known))
    return round(whole if whole <= MOST_STRETCHED * top else top, 3)


def _quantile(values: Column, share: float) -> float:
    return float(np.quantile(values, share))


def describe_beyond(values: Column, top: float, unit: str = "ms") -> str:
    """The text of a chart whose axis ends below some values, "" where it shows all of them."""
    beyond = values[values > top]
    if not len(beyond):
        return ""
    highest = beyond.max()
    at = f"at {highest:,.0f} {unit}" if highest >= 100 else f"at {highest:.3g} {unit}"
    if len(beyond) == 1:
        return f"1 frame lies beyond the axis, {at}."
    return f"{len(beyond):,} frames lie beyond the axis, the highest {at}."


def join_notes(*notes: str) -> str:
    """The notes that say something, in one line."""
    return " ".join(note for note in notes if note)
