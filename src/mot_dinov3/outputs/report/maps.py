"""Maps over a still of the clip: where objects were, and the ways that they went."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np

from mot_dinov3.outputs.drawing import choose_colour
from mot_dinov3.outputs.report.charts import Chart, Trace, escape_text
from mot_dinov3.outputs.report.identities import to_css
from mot_dinov3.outputs.report.places import PlaceGrid, Still
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.track_charts import choose_longest
from mot_dinov3.outputs.report.track_history import TrackHistory

HEAT = (
    (0.0, "rgba(255,220,80,0)"),
    (0.04, "rgba(255,214,70,0.35)"),
    (0.35, "rgba(255,140,30,0.7)"),
    (1.0, "rgba(215,20,60,0.9)"),
)
"""Share of the most -> colour."""
HOTTEST = 99.0
"""Percentile of the cells that has the last colour: one object that stands would outshine all."""
DIMMED = 0.75
"""Opacity of the still."""
WIDTH_PX, LEAST_PX, MOST_PX = 760, 220, 620
"""The usual width of a map, and limits of its height."""
MOST_POINTS = 6000
PEOPLE = ("person", "pedestrian")
WAYS = "Where each identity went"


def draw_heat(run: RunData, still: Still | None) -> Chart | None:
    """Draw how long objects were where; None where nothing is known."""
    grid = run.places
    if grid is None or grid.size is None or not grid.counts.any():
        return None
    time_s = run.frames["time_s"]
    step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
    seconds = grid.counts * (step_s or 1.0)
    width, height = grid.size
    rows, columns = grid.counts.shape
    frames = run.frames["frame"].astype(np.int64)[grid.frames]
    heat: Trace = {
        "type": "heatmap",
        "name": "seconds",
        "z": seconds.round(2).tolist(),
        "x0": width / columns / 2,
        "dx": width / columns,
        "y0": height / rows / 2,
        "dy": height / rows,
        "zmin": 0,
        "zmax": float(np.percentile(seconds[seconds > 0], HOTTEST)),
        "zsmooth": "best",
        "colorscale": [list(stop) for stop in HEAT],
        "showscale": False,
        "showlegend": False,
        "customdata": frames.tolist(),
        "hovertemplate": "%{z:.1f} s" if step_s else "%{z} frames",
    }
    heat["hovertemplate"] += "<extra></extra>"
    note = "The lower middle of every confirmed box: the redder, the longer. Click to see when."
    layout = _lay_out(grid, still)
    title = f"Where {_name_objects(run)} were"
    return Chart("heat", title, note, [heat], layout, _choose_height(grid), over_frames=False)


def draw_ways(run: RunData, still: Still | None) -> Chart | None:
    """Draw the ways of the longest tracks; None where nothing is known."""
    grid, tracks = run.places, choose_longest(run)
    if grid is None or grid.size is None or not tracks:
        return None
    frames = run.frames["frame"].astype(np.int64)
    most = max(2, MOST_POINTS // len(tracks))
    traces = [_draw_way(run, track, frames, most) for track in tracks]
    confirmed = sum(track.confirmed for track in run.tracks.values())
    rest = f"The {len(tracks)} longest of {confirmed:,} tracks." if confirmed > len(tracks) else ""
    note = "From the ring to the dot, with gaps where it was lost. Click a line to see it there."
    layout, height = _lay_out(grid, still), _choose_height(grid)
    return Chart("ways", WAYS, note, traces, layout, height, rest, over_frames=False)


def _draw_way(run: RunData, track: TrackHistory, frames: Any, most: int) -> Trace:  # noqa: ANN401
    """One line with a ring at its begin and a dot at its end."""
    points = thin_evenly(track.path, most)
    x: list[float | None] = []
    y: list[float | None] = []
    shown: list[int | None] = []
    begins = [begin for begin, _ in track.spans]
    before = None
    for row, across, down in points:
        span = bisect_right(begins, row)
        if before is not None and span != before:
            x, y, shown = [*x, None], [*y, None], [*shown, None]
        x, y = [*x, round(across, 1)], [*y, round(down, 1)]
        shown, before = [*shown, int(frames[row])], span
    colour = to_css(choose_colour(track.track_id))
    size = [7] + [0] * (len(x) - 2) + [7] * (len(x) > 1)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape_text(f"{run.title_of(track)} {run.class_of(track)}"),
        "x": x,
        "y": y,
        "customdata": shown,
        "line": {"color": colour, "width": 2},
        "marker": {
            "color": colour,
            "size": size,
            "symbol": ["circle-open"] + ["circle"] * (len(x) - 1),
        },
        "showlegend": False,
        "hovertemplate": "%{fullData.name}: frame %{customdata}<extra></extra>",
    }


def thin_evenly(
    points: Sequence[tuple[int, float, float]], most: int
) -> list[tuple[int, float, float]]:
    """At most so many of the points, the first and the last among them."""
    if len(points) <= most:
        return [*points]
    chosen = np.unique(np.linspace(0, len(points) - 1, most).astype(int)).tolist()
    return [points[i] for i in chosen]


def _name_objects(run: RunData) -> str:
    kinds = {run.class_of(track).lower() for track in run.tracks.values() if track.confirmed}
    return "people" if kinds and kinds <= {*PEOPLE} else "objects"


def _choose_height(grid: PlaceGrid) -> int:
    width, height = grid.size or (1, 1)
    return min(MOST_PX, max(LEAST_PX, round(WIDTH_PX * height / width)))


def _lay_out(grid: PlaceGrid, still: Still | None) -> dict[str, Any]:
    """Axes that are the pixels of the picture, which lies below."""
    width, height = grid.size or (1, 1)
    hidden = {"visible": False, "automargin": False}
    layout: dict[str, Any] = {
        "margin": {"l": 0, "r": 0, "t": 30, "b": 0},
        "hovermode": "closest",
        "xaxis": {**hidden, "range": [0, width], "constrain": "domain"},
        "yaxis": {
            **hidden,
            "range": [height, 0],
            "scaleanchor": "x",
            "constrain": "domain",
        },
    }
    frame = {"type": "rect", "xref": "x", "yref": "y", "x0": 0, "y0": 0, "x1": width, "y1": height}
    layout["shapes"] = [{**frame, "line": {"color": "@line", "width": 1}, "layer": "below"}]
    if still is not None:
        place = {"xref": "x", "yref": "y", "x": 0, "y": 0, "sizex": width, "sizey": height}
        looks = {"sizing": "stretch", "layer": "below", "opacity": DIMMED}
        layout["images"] = [{"source": still.address, **place, **looks}]
    return layout
