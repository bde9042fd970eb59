"""The curves of following single objects: success over overlap, precision over distance."""

from __future__ import annotations

from collections.abc import Mapping

from mot_dinov3.outputs.report.charts import Chart, escape_text
from mot_dinov3.outputs.report.plots import COLOURS, render_plots
from mot_dinov3.values import DoubleArray

Curves = Mapping[str, DoubleArray]
"""What was tried -> (T,) share of the frames at each threshold."""


def render_success(
    facts: list[str], success: tuple[DoubleArray, Curves], precision: tuple[DoubleArray, Curves]
) -> str:
    """Both plots as an HTML page.

    Args:
        facts: a few words each, below the title.
        success: thresholds of the overlap, and the curves over them.
        precision: thresholds of the distance in pixels, and the curves over them.
    """
    charts = [
        draw_shares("success", "Success", "the IoU is above", success),
        draw_shares(
            "precision", "Precision", "the centres are at most so far apart, in px", precision
        ),
    ]
    return render_plots("Following single objects", "eval sot", facts, charts)


def draw_shares(key: str, title: str, axis: str, curves: tuple[DoubleArray, Curves]) -> Chart:
    """A chart of the share of frames over a threshold."""
    thresholds, rows = curves
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": escape_text(name),
            "x": thresholds.tolist(),
            "y": shares.tolist(),
            "line": {"width": 2, "color": COLOURS[number % len(COLOURS)]},
        }
        for number, (name, shares) in enumerate(rows.items())
    ]
    layout = {
        "xaxis": {"title": {"text": axis}},
        "yaxis": {"title": {"text": "share of the frames"}, "range": [0, 1]},
    }
    note = "The mean over the sequences, each counting the same."
    return Chart(key, title, note, traces, layout, 380, over_frames=False)
