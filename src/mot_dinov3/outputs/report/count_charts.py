"""The charts of lines and zones over the frames of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mot_dinov3.outputs.report.charts import COUNT, Chart, Trace, draw_line, escape_text
from mot_dinov3.outputs.report.count_table import CountTable
from mot_dinov3.outputs.report.thinning import MOST_POINTS, choose_rows
from mot_dinov3.outputs.report.track_charts import CLASSES

OUT_DASH = "dot"
MOST_TICKS = 8
"""Up to this value every whole number has its tick."""


def draw_counts(counts: CountTable) -> list[Chart]:
    """The charts of lines and of zones; none where there are none."""
    return [*_draw_crossings(counts), *_draw_visits(counts)]


def _draw_crossings(counts: CountTable) -> Iterator[Chart]:
    if not counts.crossings:
        return
    traces = []
    colours = cycle(CLASSES)
    for name, both in counts.crossings.items():
        for column, word, dash in zip(both, ("in", "out"), ("solid", OUT_DASH), strict=True):
            style = {"color": next(colours), "dash": dash}
            traces.append(_draw_steps(counts, f"{name} {word}", column, style))
    note = "How often each line was crossed so far, in (solid) and out (dotted)."
    yield Chart("crossings", "Crossings of lines", note, traces, _choose_axis(traces), 240)


def _draw_visits(counts: CountTable) -> Iterator[Chart]:
    if not counts.inside:
        return
    traces = [
        _draw_steps(counts, name, column, {"color": CLASSES[number % len(CLASSES)]})
        for number, (name, column) in enumerate(counts.inside.items())
    ]
    note = "How many tracks are in each zone; one that is lost in it counts until it is removed."
    yield Chart("visits", "Tracks in zones", note, traces, _choose_axis(traces), 220)


def _choose_axis(traces: Sequence[Trace]) -> dict[str, Any]:
    """A layout whose y axis begins at 0 and has whole numbers only."""
    top = max(max(trace["y"], default=0) for trace in traces)
    axis: dict[str, Any] = {"rangemode": "tozero", "tickformat": ",d"}
    return {"yaxis": axis | ({"dtick": 1} if top <= MOST_TICKS else {})}


def _draw_steps(
    counts: CountTable, name: str, column: ArrayLike, style: Mapping[str, str]
) -> Trace:
    """A line that stays at its value until the next one; only the changes are drawn.

    Args:
        counts: has the frames.
        name: of the line.
        column: (F,) a value for each frame.
        style: colour and dashes.
    """
    values = np.asarray(column, np.int64)
    rows = find_changes(values)
    x = np.asarray(counts.frame, np.int64)[rows].tolist()
    line = {"width": 1.8, "shape": "hv", **style}
    y = values[rows].tolist()
    return draw_line(escape_text(name), x, y, hovertemplate=COUNT, line=line)


def find_changes(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of a series (F,) at which it changes, with the first and the last one."""
    if len(values) < 2:
        return np.arange(len(values))
    changed = np.flatnonzero(np.diff(values)) + 1
    rows = np.unique(np.concatenate(([0, len(values) - 1], changed)))
    if len(rows) <= MOST_POINTS:
        return rows
    return rows[choose_rows(values[rows].astype(np.float64))]
