"""A page of plots alone: the look of a report for what is not a run."""

from __future__ import annotations

from collections.abc import Sequence

from mot_dinov3 import __version__
from mot_dinov3.outputs.report.charts import Chart
from mot_dinov3.outputs.report.page import render

COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
    *("#e69f00", "#56b4e9", "#96703c", "#7859c8"),
)
"""Okabe and Ito's colours, which people with any colour vision tell apart, and two more."""


def render_plots(title: str, kind: str, facts: Sequence[str], charts: Sequence[Chart]) -> str:
    """A page of charts as HTML, two side by side where there is room.

    Args:
        title: of the page.
        kind: what it is, in small letters above the title.
        facts: a few words each, below the title.
        charts: in reading order, none over frames.
    """
    data = {"charts": [chart.as_dict() for chart in charts], "span": [0, 0], "step": 1}
    values = {
        "title": title,
        "kind": kind,
        "version": __version__,
        "facts": list(facts),
        "notices": [],
        "films": [],
        "charts": charts,
    }
    return render("plots.html", values, {**data, "films": []})
