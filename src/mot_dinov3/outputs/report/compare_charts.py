"""Charts of several runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.report.charts import (
    Chart,
    Trace,
    describe_beyond,
    describe_left_out,
    draw_line,
    escape_text,
    find_usual_top,
    join_notes,
    to_values,
)
from mot_dinov3.outputs.report.frames import Column
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.thinning import choose_rows

STRETCHES = 120
"""Number of means that make a smooth line."""


def draw_overlays(
    runs: Sequence[RunData], names: Sequence[str], colours: Sequence[str]
) -> list[Chart]:
    """Charts over time with a colour for each run; none where no run has frames."""
    shown = [
        ShownRun(run, escape_text(name), colour)
        for run, name, colour in zip(runs, names, colours, strict=False)
        if len(run.frames)
    ]
    if not shown:
        return []
    return [
        _overlay(Overlay("latency", "Latency of a frame", "ms", _latency), shown),
        _overlay(Overlay("embed", "Time for embeddings", "ms", _embed, budgeted=True), shown),
        _overlay(Overlay("computed", "Embeddings computed", "crops a frame", _computed), shown),
        _overlay(Overlay("total", "Embeddings computed so far", "crops", _total, False), shown),
        _overlay(Overlay("tracks", "Confirmed tracks in sight", "tracks", _tracks, False), shown),
    ]


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run with its name and colour in the charts."""

    run: RunData
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """A chart of several runs.

    Attributes:
        key: its name in the page.
        title: says what it shows.
        unit: of the y axis.
        column: takes the values of a run, (F,).
        smooth: draw a smooth line over a thin one.
        budgeted: draw the budget as well.
    """

    key: str
    title: str
    unit: str
    column: Callable[[RunData], Column]
    smooth: bool = True
    budgeted: bool = False


def _latency(run: RunData) -> Column:
    return run.frames["latency_ms"]


def _embed(run: RunData) -> Column:
    return run.frames["embed_ms"]


def _computed(run: RunData) -> Column:
    return run.frames["critical"] + run.frames["refresh"]


def _total(run: RunData) -> Column:
    return np.cumsum(_computed(run))


def _tracks(run: RunData) -> Column:
    return run.frames["tracks"]


def _overlay(overlay: Overlay, shown: Sequence[ShownRun]) -> Chart:
    traces: list[Trace] = []
    drawn = every = 0
    columns: list[Column] = []
    levels: list[float] = []
    for one in shown:
        column = overlay.column(one.run)
        rows = choose_rows(column)
        drawn, every = drawn + len(rows), every + len(column)
        traces += _draw_run(one, column, rows, smooth=overlay.smooth)
        if overlay.smooth:
            columns.append(column)
        if overlay.budgeted:
            traces += _draw_budget(one)
            levels.append(float(np.median(one.run.frames["budget_ms"])))
    axis: dict[str, Any] = {"title": {"text": overlay.unit}, "rangemode": "tozero"}
    note = beyond = ""
    if overlay.smooth:
        limit = "; dashed: the budget" if any(levels) else ""
        note = f"Thick: mean of neighbouring frames; thin: every frame{limit}."
        top = find_usual_top(columns, levels)
        axis["range"] = [0, top]
        beyond = describe_beyond(np.concatenate(columns), top, overlay.unit.split()[0])
    rest = join_notes(beyond, describe_left_out(drawn, every))
    return Chart(overlay.key, overlay.title, note, traces, {"yaxis": axis}, 250, rest)


def _draw_budget(one: ShownRun) -> list[Trace]:
    """A dashed line at the budget of a run; none without a budget."""
    budget_ms, frame = one.run.frames["budget_ms"], one.run.frames["frame"]
    if not (budget_ms > 0).any():
        return []
    rows = choose_rows(budget_ms)
    limit = to_values(np.where(budget_ms > 0, budget_ms, np.nan), rows)
    style = {"width": 1.4, "color": one.colour, "dash": "dash", "shape": "hv"}
    return [
        draw_line(
            f"{one.name}: budget",
            frame[rows].astype(int).tolist(),
            limit,
            line=style,
            legendgroup=one.name,
            hoverinfo="skip",
            showlegend=False,
        )
    ]


def _draw_run(
    one: ShownRun, column: Column, rows: NDArray[np.int64], *, smooth: bool
) -> list[Trace]:
    """The line of a run, thin below a smooth one where that is wanted."""
    frame = one.run.frames["frame"]
    x, y = frame[rows].astype(int).tolist(), to_values(column, rows)
    if not smooth:
        style = {"width": 1.8, "color": one.colour}
        return [draw_line(one.name, x, y, line=style, legendgroup=one.name, opacity=1.0)]
    thin = {"width": 0.8, "color": one.colour}
    thick = {"width": 2.4, "color": one.colour}
    middle, mean = compute_means(frame, column)
    return [
        draw_line(
            one.name,
            x,
            y,
            line=thin,
            legendgroup=one.name,
            opacity=0.4,
            hoverinfo="skip",
            showlegend=False,
        ),
        draw_line(
            one.name, middle, mean, legendgroup=one.name, hovertemplate="%{y:.2f}", line=thick
        ),
    ]


def compute_means(frame: Column, column: Column) -> tuple[list[int], list[float | None]]:
    """Frames and means of at most 120 stretches of a column; None where a stretch is all NaN."""
    edges = np.unique(np.linspace(0, len(column), min(STRETCHES, len(column)) + 1).astype(int))
    middle, out = [], list[float | None]()
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = column[begin:end]
        known = part[~np.isnan(part)]
        middle.append(int(frame[(begin + end - 1) // 2]))
        out.append(round(float(known.mean()), 3) if len(known) else None)
    return middle, out
