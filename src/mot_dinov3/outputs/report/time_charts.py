"""Charts of where the time went, and of what embeddings were expected to cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.report.charts import (
    INK,
    MS,
    MUTED,
    Chart,
    Trace,
    choose_width,
    describe_left_out,
    draw_line,
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
    "read": "#8fa3b8",
    "draw": "#e0b03c",
    "write": "#6f7f95",
    "wait": "#c9d2dc",
}
OTHER = "#a58f7a"


def draw_timeline(run: RunData, source_fps: float) -> Chart:
    """Every stage of every frame, embedding at the bottom so that its budget can be compared."""
    table = run.frames
    stages = {name: ms for name, ms in table.stages.items() if name != WAIT}
    order = sorted(stages, key=lambda name: (name != EMBED, -float(stages[name].sum())))
    whole = sum(stages.values(), np.zeros(len(table)))
    rows = choose_rows(whole)
    x = table["frame"][rows].astype(int).tolist()
    traces: list[Trace] = [
        draw_line(name, x, to_values(stages[name], rows), stackgroup="stages", hovertemplate=MS,
             line={"width": 0.4, "color": COLOURS.get(name, OTHER)})
        for name in order
    ]  # fmt: skip
    traces += _budget(table["budget_ms"], rows, x)
    latency = table["latency_ms"]
    if not np.isnan(latency).all():
        look = {"width": choose_width(len(x), 1.0), "color": MUTED}
        traces.append(
            draw_line("latency", x, to_values(latency, rows), hovertemplate=MS, line=look)
        )
    if source_fps > 0:
        traces.append(_level(f"source pace ({source_fps:g} fps)", x, 1000 / source_fps))
    note = (
        "Each frame's stages on top of each other, embedding at the bottom, so that its area can "
        "be held against the budget. Stages run beside each other in threads: the latency of a "
        "frame is not their sum. Click to see the frame in the video; drag to zoom."
    )
    top = _usual_top(whole, latency, 1000 / source_fps if source_fps > 0 else 0.0)
    layout = {"yaxis": {"title": {"text": "ms"}, "range": [0, top]}}
    return Chart("timeline", "Where the time of a frame goes", note, traces, layout, 340,
                 describe_left_out(len(rows), len(table)))  # fmt: skip


def _usual_top(whole: Column, latency: Column, pace_ms: float) -> float:
    """Where the axis ends at first: one slow frame must not flatten all others."""
    if not len(whole):
        return 1.0
    known = latency[~np.isnan(latency)]
    usual = [float(np.quantile(column, 0.99)) for column in (whole, known) if len(column)]
    return round(1.25 * max([*usual, pace_ms, 0.1]), 3)


def _level(name: str, x: list[int], ms: float) -> Trace:
    ends = [x[0], x[-1]] if x else []
    look = {"width": 1.2, "color": INK, "dash": "dash"}
    return draw_line(name, ends, [ms] * len(ends), line=look, hoverinfo="skip")


def _budget(budget_ms: Column, rows: NDArray[np.int64], x: list[int]) -> list[Trace]:
    if not (budget_ms > 0).any():
        return []
    limit = np.where(budget_ms > 0, budget_ms, np.nan)
    look = {"width": 1.8, "color": "#d62839", "shape": "hv"}
    return [draw_line("embedding budget", x, to_values(limit, rows), line=look, hovertemplate=MS)]


def draw_prediction(run: RunData) -> Chart | None:
    """What the cost model expected against what a clock said; None where nothing was embedded."""
    table = run.frames
    expected, real, limit = (table[name] for name in ("predicted_ms", "embed_ms", "budget_ms"))
    worked = np.flatnonzero(expected > 0)
    if not len(worked):
        return None
    rows = worked[choose_rows((real - expected)[worked])]
    over = (limit > 0) & (real > limit)
    frames = table["frame"].astype(int)
    traces: list[Trace] = []
    for name, part, colour in (
        ("within the budget" if (limit > 0).any() else "frames", ~over[rows], "#3d7ff2"),
        ("over the budget", over[rows], "#d62839"),
    ):
        chosen = rows[part]
        if len(chosen):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": name,
                    "x": to_values(expected, chosen),
                    "y": to_values(real, chosen),
                    "customdata": frames[chosen].tolist(),
                    "marker": {"size": 5, "opacity": 0.55, "color": colour},
                    "hovertemplate": "frame %{customdata}: %{x:.2f} ms expected, %{y:.2f} ms",
                }
            )
    top = float(max(expected[worked].max(), np.quantile(real[worked], 0.995))) * 1.1
    diagonal = {"width": 1.2, "color": MUTED, "dash": "dash"}
    traces.append(draw_line("as expected", [0, top], [0, top], line=diagonal, hoverinfo="skip"))
    ratio = float(np.median(real[worked] / expected[worked]))
    note = (
        f"Above the dashed line a frame's embeddings took longer than expected. Median of actual "
        f"over predicted: {ratio:.2f}. The model aims at a high quantile of recent costs, so that "
        f"most points should lie below."
    )
    layout = {
        "xaxis": {"title": {"text": "predicted ms"}, "range": [0, top]},
        "yaxis": {"title": {"text": "actual ms"}, "range": [0, top]},
        "hovermode": "closest",
    }
    return Chart("prediction", "What embeddings cost: predicted and actual", note, traces, layout,
                 320, describe_left_out(len(rows), len(worked)), over_frames=False)  # fmt: skip
