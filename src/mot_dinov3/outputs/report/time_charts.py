"""Charts over the frames of a run: where the time went, and what became of the embeddings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.report.charts import (
    CARD,
    COUNT,
    INK,
    MS,
    MUTED,
    Chart,
    Trace,
    choose_width,
    describe_beyond,
    describe_left_out,
    draw_line,
    find_usual_top,
    join_notes,
    to_values,
)
from mot_dinov3.outputs.report.frames import Column
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.thinning import choose_rows
from mot_dinov3.runtime.statistics import WAIT

EMBED = "embed"
COLOURS = {
    "embed": "#f2662b",
    "detect": "#3d7ff2",
    "track": "#17a589",
    "camera": "#8e5bd9",
    "cheap": "#c77fd6",
    "count": "#5b8c2a",
    "read": "#8fa3b8",
    "draw": "#e0b03c",
    "write": "#6f7f95",
    "wait": "#c9d2dc",
}
"""Stage -> colour."""
OTHER = "#a58f7a"
FATES = {
    "critical": "#d62839",
    "refresh": "#f2a03d",
    "deferred": "#8e5bd9",
    "starved": "#b5307c",
    "reused": "#9cc3dd",
}
"""Fate of an embedding -> colour, from the bottom up."""
ALWAYS_DRAWN = ("critical", "refresh", "reused")
BUDGET = "#d62839"
WITHIN, OVER = "#3d7ff2", "#d62839"
"""Colours of frames within the budget and over it."""


def draw_timeline(run: RunData, source_fps: float) -> Chart:
    """Draw the stages of every frame, embedding at the bottom to be compared with its budget.

    Args:
        run: with frames.
        source_fps: frames a second of the source, 0 if unknown.
    """
    table = run.frames
    stages = {name: ms for name, ms in table.stages.items() if name != WAIT}
    whole = sum(stages.values(), np.zeros(len(table)))
    rows = choose_rows(whole)
    x = table["frame"][rows].astype(int).tolist()
    latency, pace_ms = table["latency_ms"], 1000 / source_fps if source_fps > 0 else 0.0
    traces = [*_stages(stages, rows, x), *_budget(table["budget_ms"], rows, x)]
    if not np.isnan(latency).all():
        style = {"width": choose_width(len(x), 1.0), "color": MUTED}
        known = to_values(latency, rows)
        traces.append(draw_line("latency", x, known, hovertemplate=MS, line=style))
    if pace_ms:
        traces.append(_level(f"source pace ({source_fps:g} fps)", x, pace_ms))
    note = "Stages stacked, embedding lowest; they overlap in time, so latency is not their sum."
    budget = table["budget_ms"]
    top = find_usual_top((whole, latency), (pace_ms, _usual_budget(budget)))
    layout = {"yaxis": {"title": {"text": "ms"}, "range": [0, top]}}
    rest = join_notes(
        describe_beyond(np.fmax(whole, latency), top), describe_left_out(len(rows), len(table))
    )
    return Chart("timeline", "Where the time of a frame goes", note, traces, layout, 340, rest)


def _usual_budget(budget_ms: Column) -> float:
    return float(np.median(budget_ms)) if len(budget_ms) else 0.0


def _stages(stages: dict[str, Column], rows: NDArray[np.int64], x: list[int]) -> list[Trace]:
    """An area for each stage, embedding first, then the longest first."""
    order = sorted(stages, key=lambda name: (name != EMBED, -float(stages[name].sum())))
    return [
        draw_line(
            name,
            x,
            to_values(stages[name], rows),
            stackgroup="stages",
            hovertemplate=MS,
            line={"width": 0.4, "color": COLOURS.get(name, OTHER)},
            fillcolor=COLOURS.get(name, OTHER),
        )
        for name in order
    ]


def _level(name: str, x: list[int], ms: float) -> Trace:
    ends = [x[0], x[-1]] if x else []
    style = {"width": 1.2, "color": INK, "dash": "dash"}
    return draw_line(name, ends, [ms] * len(ends), line=style, hoverinfo="skip")


def _budget(budget_ms: Column, rows: NDArray[np.int64], x: list[int]) -> list[Trace]:
    if not (budget_ms > 0).any():
        return []
    limit = np.where(budget_ms > 0, budget_ms, np.nan)
    y = to_values(limit, rows)
    halo = {"width": 4.5, "color": CARD, "shape": "hv"}
    style = {"width": 2, "color": BUDGET, "shape": "hv"}
    return [
        draw_line("behind it", x, y, line=halo, hoverinfo="skip", showlegend=False),
        draw_line("embedding budget", x, y, line=style, hovertemplate=MS),
    ]


def draw_prediction(run: RunData) -> Chart | None:
    """Draw predicted against measured times of embedding; None where nothing was embedded."""
    table = run.frames
    expected, real, limit = (table[name] for name in ("predicted_ms", "embed_ms", "budget_ms"))
    worked = np.flatnonzero(expected > 0)
    if not len(worked):
        return None
    rows = worked[choose_rows((real - expected)[worked])]
    over = ((limit > 0) & (real > limit))[rows]
    usual = "within the budget" if (limit > 0).any() else "frames"
    traces = [
        *_points(run, usual, rows[~over], WITHIN),
        *_points(run, "over the budget", rows[over], OVER),
    ]
    top = find_usual_top((expected[worked], real[worked]))
    diagonal = {"width": 1.2, "color": MUTED, "dash": "dash"}
    traces.append(draw_line("as expected", [0, top], [0, top], line=diagonal, hoverinfo="skip"))
    ratio = float(np.median(real[worked] / expected[worked]))
    note = (
        f"Above the dashed line embeddings took longer than predicted; median of actual over "
        f"predicted {ratio:.2f}."
    )
    layout = {
        "xaxis": {"title": {"text": "predicted ms"}, "range": [0, top]},
        "yaxis": {"title": {"text": "actual ms"}, "range": [0, top]},
        "hovermode": "closest",
    }
    title = "What embeddings cost: predicted and actual"
    beyond = describe_beyond(np.fmax(expected, real)[worked], top)
    rest = join_notes(beyond, describe_left_out(len(rows), len(worked)))
    return Chart("prediction", title, note, traces, layout, 320, rest, over_frames=False)


def _points(run: RunData, name: str, rows: NDArray[np.int64], colour: str) -> list[Trace]:
    """A point for each row: predicted and measured milliseconds; no trace without rows."""
    if not len(rows):
        return []
    table = run.frames
    points: Trace = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": to_values(table["predicted_ms"], rows),
        "y": to_values(table["embed_ms"], rows),
        "customdata": table["frame"].astype(int)[rows].tolist(),
        "marker": {"size": 5, "opacity": 0.55, "color": colour},
        "hovertemplate": "frame %{customdata}: %{x:.2f} ms expected, %{y:.2f} ms",
    }
    return [points]


def draw_fates(run: RunData) -> Chart | None:
    """Draw what became of the embeddings of every frame, and the backlog; None without any."""
    table = run.frames
    known = {name: table[name] for name in FATES}
    whole = np.sum(list(known.values()), axis=0)
    if not len(table) or not whole.any():
        return None
    backlog = known["deferred"] + known["starved"]
    # Frames with a backlog or with critical work are kept before all others.
    rows = choose_rows(whole + 1000 * (backlog + known["critical"]))
    x = table["frame"][rows].astype(int).tolist()
    traces = [
        draw_line(
            name,
            x,
            to_values(column, rows),
            stackgroup="fates",
            hovertemplate=COUNT,
            line={"width": 0, "color": FATES[name], "shape": "hv"},
            fillcolor=FATES[name],
        )
        for name, column in known.items()
        if column.any() or name in ALWAYS_DRAWN
    ]
    style = {"width": choose_width(len(x), 1.6), "color": INK, "shape": "hv"}
    waiting = to_values(backlog, rows)
    traces.append(draw_line("backlog", x, waiting, hovertemplate=COUNT, line=style))
    note = "The backlog is what waits after a frame: deferred and starved embeddings."
    layout = {"yaxis": {"title": {"text": "detections"}, "rangemode": "tozero"}}
    left_out = describe_left_out(len(rows), len(table))
    title = "Which detections were embedded, and which were not"
    return Chart("fates", title, note, traces, layout, 280, left_out)
