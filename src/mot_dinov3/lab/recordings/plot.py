"""The plots of a study: quality over share of crops and over time, a pair of them per source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.lab.recordings.front import find_pareto_front, group_by_family, quality_ends
from mot_dinov3.lab.recordings.policies import REPLAY_POLICIES
from mot_dinov3.lab.recordings.report import group_by_source, quality_name
from mot_dinov3.lab.recordings.study import CEILING, FLOOR, Point
from mot_dinov3.outputs.report.charts import (
    CARD,
    GRID,
    INK,
    MUTED,
    Chart,
    Trace,
    draw_line,
    escape_text,
)
from mot_dinov3.outputs.report.plots import COLOURS as OKABE_ITO
from mot_dinov3.outputs.report.plots import render_plots
from mot_dinov3.wording import counted

Cost: TypeAlias = Callable[[Point], float]

COLOURS = ("#d55e00", "#0072b2", INK, MUTED, "#e69f00", "#009e73", "#cc79a7")
"""Of the policies in the order of their table."""
SPARE = OKABE_ITO[5:]
"""Of policies with cheap evidence, and of those that were added."""
HOVER = "%{text}<br>%{x:.3g} gives %{y:.2f}<extra></extra>"
NOTE = "Ringed points are on the Pareto front (wide line); dashed: never and always."


@dataclass(frozen=True, slots=True)
class Axis:
    """What quality is plotted against.

    Attributes:
        key: in the names of the charts.
        title: of the axis.
        cost: of a point.
    """

    key: str
    title: str
    cost: Cost


AXES = (
    Axis("share", "share of crops embedded, %", lambda point: 100 * point.share),
    Axis("ms", "milliseconds a frame, recorded costs", lambda point: point.frame_ms),
)


def save_plots(points: Sequence[Point], path: Path) -> None:
    """Write the plots as one HTML page, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    charts = draw_plots(points)
    title, sources = "Identity quality against embedding work", group_by_source(points)
    facts = [f"{name}: {counted(own[0].frames, 'frame')}" for name, own in sources.items()]
    write_text(path, render_plots(title, "replay", facts, charts))


def draw_plots(points: Sequence[Point]) -> list[Chart]:
    """Draw the charts, those of all sources together first."""
    rows = reversed(group_by_source(points).items())
    return [
        _draw(own, axis, f"{axis.key}-{number}", source)
        for number, (source, own) in enumerate(rows)
        for axis in AXES
    ]


def _draw(points: Sequence[Point], axis: Axis, key: str, source: str) -> Chart:
    """Draw one chart: the front, the ends of the gap, and points and lines of every family."""
    best = find_pareto_front(points, axis.cost)
    traces = [*_front(points, best, axis.cost), *_ends(points, axis.cost)]
    for family, own in group_by_family(points).items():
        traces += _family(escape_text(family), own, best, axis.cost)
    traces.append(_labels(best, axis.cost))
    layout = {
        "xaxis": {"title": {"text": axis.title}},
        "yaxis": {"title": {"text": quality_name(points)}},
        "hovermode": "closest",
    }
    return Chart(key, source, NOTE, traces, layout, 380, over_frames=False)


def _front(points: Sequence[Point], best: Sequence[Point], cost: Cost) -> list[Trace]:
    """A step for every point of the front, on to the dearest point of all."""
    x = [*(cost(point) for point in best), max(map(cost, points))]
    y = [*(point.quality for point in best), best[-1].quality]
    style = {"width": 6, "color": GRID, "shape": "hv"}
    return [draw_line("Pareto front", x, y, line=style, hoverinfo="skip")]


def _ends(points: Sequence[Point], cost: Cost) -> list[Trace]:
    """A dashed level for the quality without embeddings and with all of them."""
    ends = [min(map(cost, points)), max(map(cost, points))]
    style = {"width": 1.2, "color": MUTED, "dash": "dash"}
    return [
        draw_line(case.title, ends, [level, level], line=style, showlegend=False, hoverinfo="name")
        for case, level in zip((FLOOR, CEILING), quality_ends(points), strict=True)
    ]


def _family(name: str, points: Sequence[Point], best: Sequence[Point], cost: Cost) -> list[Trace]:
    """The lines of a family, and its points with a ring around those of the front."""
    colour = colour_of(points[0].case.line)
    style = {"width": 1.6, "color": colour}
    traces = []
    for own in split_into_lines(points):
        ordered = sorted(own, key=cost)
        x, y = [cost(point) for point in ordered], [point.quality for point in ordered]
        more = {"legendgroup": name, "showlegend": False, "hoverinfo": "skip"}
        traces.append(draw_line(name, x, y, line=style, **more))
    rings = [INK if point in best else CARD for point in points]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "legendgroup": name,
            "x": [cost(point) for point in points],
            "y": [point.quality for point in points],
            "text": [escape_text(point.case.title) for point in points],
            "marker": {"size": 9, "color": colour, "line": {"width": 1.8, "color": rings}},
            "hovertemplate": HOVER,
        }
    )
    return traces


def _labels(best: Sequence[Point], cost: Cost) -> Trace:
    """The names of the points of the front, beside them."""
    return {
        "type": "scatter",
        "mode": "text",
        "name": "names",
        "x": [cost(point) for point in best],
        "y": [point.quality for point in best],
        "text": [f"  {escape_text(point.case.title)}" for point in best],
        "textposition": "bottom right",
        "textfont": {"size": 11, "color": MUTED},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def split_into_lines(points: Sequence[Point]) -> list[list[Point]]:
    """Split into lines: the arguments of a family at each budget, or one argument's budgets."""
    arguments = {point.case.policy for point in points}
    lines: dict[object, list[Point]] = {}
    for point in points:
        budget = (point.case.budget_ms, point.case.budget_crops)
        lines.setdefault(budget if len(arguments) > 1 else 0, []).append(point)
    return [line for line in lines.values() if len(line) > 1]


def colour_of(family: str) -> str:
    """The colour of a family: always the same one."""
    known = dict(zip(REPLAY_POLICIES, COLOURS, strict=False))
    return known.get(family) or SPARE[sum(family.encode()) % len(SPARE)]
