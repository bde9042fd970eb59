"""Charts that lay runs over each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mot_dinov3.outputs.report.charts import (
    Chart,
    Trace,
    describe_left_out,
    draw_line,
    escape_text,
    to_values,
)
from mot_dinov3.outputs.report.frames import Column
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.thinning import choose_rows

STRETCHES = 120
"""So many means lie side by side in a smooth line."""


def draw_overlays(
    runs: Sequence[RunData], names: Sequence[str], colours: Sequence[str]
) -> list[Chart]:
    """What changes over time, a colour for each run; nothing where no run has frames."""
    looks = [(run, escape_text(name), colour)
             for run, name, colour in zip(runs, names, colours, strict=False)
             if len(run.frames)]  # fmt: skip
    if not looks:
        return []
    return [
        _overlay("latency", "Latency of a frame", "ms", looks,
                 lambda run: run.frames["latency_ms"]),
        _overlay("embed", "Time for embeddings", "ms", looks, lambda run: run.frames["embed_ms"]),
        _overlay("computed", "Embeddings computed", "crops a frame", looks, _computed),
        _overlay("total", "Embeddings computed so far", "crops", looks,
                 lambda run: np.cumsum(_computed(run)), smooth=False),
        _overlay("tracks", "Confirmed tracks in sight", "tracks", looks,
                 lambda run: run.frames["tracks"], smooth=False),
    ]  # fmt: skip


def _computed(run: RunData) -> Column:
    return run.frames["critical"] + run.frames["refresh"]


def _overlay(
    key: str,
    title: str,
    unit: str,
    looks: Sequence[tuple[RunData, str, str]],
    of: Callable[[RunData], Column],
    *,
    smooth: bool = True,
) -> Chart:
    traces: list[Trace] = []
    drawn = every = 0
    tops = [0.1]
    for run, name, colour in looks:
        column, frame = of(run), run.frames["frame"]
        rows = choose_rows(column)
        drawn, every = drawn + len(rows), every + len(column)
        x = frame[rows].astype(int).tolist()
        look: dict[str, Any] = {"width": 0.8 if smooth else 1.8, "color": colour}
        hover: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False} if smooth else {}
        traces.append(draw_line(name, x, to_values(column, rows), line=look, legendgroup=name,
                           opacity=0.4 if smooth else 1.0, **hover))  # fmt: skip
        if smooth:
            middle, mean = compute_means(frame, column)
            tops.append(1.15 * float(np.nanquantile(column, 0.99)))
            traces.append(draw_line(name, middle, mean, legendgroup=name, hovertemplate="%{y:.2f}",
                               line={"width": 2.4, "color": colour}))  # fmt: skip
    note = "Thick: mean of neighbouring frames; thin: every frame." if smooth else ""
    axis: dict[str, Any] = {"title": {"text": unit}, "rangemode": "tozero"}
    if smooth:
        axis["range"] = [0, round(max(top for top in tops if top == top), 3)]
    return Chart(key, title, note, traces, {"yaxis": axis}, 250, describe_left_out(drawn, every))


def compute_means(frame: Column, column: Column) -> tuple[list[int], list[float | None]]:
    """Frames and means of at most 120 stretches of a column; None where nothing is known."""
    edges = np.unique(np.linspace(0, len(column), min(STRETCHES, len(column)) + 1).astype(int))
    middle, out = [], list[float | None]()
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = column[begin:end]
        known = part[~np.isnan(part)]
        middle.append(int(frame[(begin + end - 1) // 2]))
        out.append(round(float(known.mean()), 3) if len(known) else None)
    return middle, out
