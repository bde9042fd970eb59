"""The curves of a training run: the loss over the steps, and what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.outputs.report.charts import Chart, Trace, choose_width, escape_text
from mot_dinov3.outputs.report.page import find_missing_packages
from mot_dinov3.outputs.report.plots import COLOURS, render_plots
from mot_dinov3.training.log import Entry

CURVE_FILE = "curve.html"
MARKED = 40
"""Points up to which each has a mark on its line."""

Spot: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart.

    Attributes:
        name: what it is called.
        spots: (step, value) pairs, by step.
    """

    name: str
    spots: tuple[Spot, ...]


def draw_curve(entries: Sequence[Entry], path: Path) -> bool:
    """Write the curves of a log as an HTML page: the loss and its terms, and the evaluations.

    Returns:
        Whether the page was written: the packages of a report are optional, and a log may be empty.

    Raises:
        OutputError: it cannot be written.
    """
    losses = [(e["step"], {"loss": e["loss"], **e["terms"]}) for e in entries if "loss" in e]
    merits = [(e["step"], e["evaluation"]) for e in entries if "evaluation" in e]
    charts = [
        draw_chart(key, title, note, series)
        for key, title, note, series in (
            ("loss", "Loss", "The loss that is minimised, and its terms.", collect_series(losses)),
            ("merit", "Evaluations", "Figures on data kept for it.", collect_series(merits)),
        )
        if series
    ]
    if not charts or find_missing_packages():
        return False
    last = max(entry["step"] for entry in entries)
    write_text(path, render_plots(path.resolve().parent.name, "training", [f"step {last}"], charts))
    return True


def draw_chart(key: str, title: str, note: str, series: Sequence[Series]) -> Chart:
    """A chart with a line for each series."""
    traces = [
        _draw_series(line, COLOURS[number % len(COLOURS)]) for number, line in enumerate(series)
    ]
    layout = {"xaxis": {"title": {"text": "step"}, "tickformat": ",d"}}
    return Chart(key, title, note, traces, layout, 340, over_frames=False)


def _draw_series(line: Series, colour: str) -> Trace:
    few = len(line.spots) <= MARKED
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "name": escape_text(line.name),
        "x": [x for x, _ in line.spots],
        "y": [y for _, y in line.spots],
        "line": {"width": choose_width(len(line.spots), 2.0), "color": colour},
        "hovertemplate": "%{y:.5g}",
    }


def collect_series(points: Iterable[tuple[int, Mapping[str, float]]]) -> list[Series]:
    """One series a name, in the order in which names come up; numbers that are none are left out.

    Args:
        points: step, and values by name.
    """
    spots: dict[str, list[Spot]] = {}
    for step, values in points:
        for name, value in values.items():
            if math.isfinite(value):
                spots.setdefault(name, []).append((float(step), value))
    return [Series(name, tuple(own)) for name, own in spots.items()]
