"""The chart of what became of every detection's embedding."""

from __future__ import annotations

import numpy as np

from mot_dinov3.outputs.report.charts import (
    COUNT,
    INK,
    Chart,
    Trace,
    choose_width,
    describe_left_out,
    draw_line,
    to_values,
)
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.thinning import choose_rows

FATES = {
    "critical": "#d62839",
    "refresh": "#f2a03d",
    "deferred": "#8e5bd9",
    "starved": "#7a1f2b",
    "reused": "#9cc3dd",
}
"""Fate -> colour, from the bottom up."""


def draw_fates(run: RunData) -> Chart | None:
    """Critical, refresh, deferred and reused per frame, and the backlog; None without any."""
    table = run.frames
    known = {name: table[name] for name in FATES}
    whole = np.sum(list(known.values()), axis=0)
    if not len(table) or not whole.any():
        return None
    backlog = known["deferred"] + known["starved"]
    rows = choose_rows(whole + 1000 * (backlog + known["critical"]))
    x = table["frame"][rows].astype(int).tolist()
    traces: list[Trace] = [
        draw_line(name, x, to_values(column, rows), stackgroup="fates", hovertemplate=COUNT,
             line={"width": 0, "color": FATES[name], "shape": "hv"})
        for name, column in known.items()
        if column.any() or name in ("critical", "refresh", "reused")
    ]  # fmt: skip
    look = {"width": choose_width(len(x), 1.6), "color": INK, "shape": "hv"}
    traces.append(draw_line("backlog", x, to_values(backlog, rows), hovertemplate=COUNT, line=look))
    note = (
        "Critical crops run at once, refreshes run while they fit the budget, deferred ones wait "
        "and are the first of the next frame; everybody else keeps the embedding of the track. "
        "The backlog is what waits after a frame: deferred and starved."
    )
    layout = {"yaxis": {"title": {"text": "detections"}, "rangemode": "tozero"}}
    return Chart("fates", "Who was embedded, and who was not", note, traces, layout, 280,
                 describe_left_out(len(rows), len(table)))  # fmt: skip
