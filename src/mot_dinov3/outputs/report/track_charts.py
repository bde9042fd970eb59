"""The chart of the times at which tracks were seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.report.charts import INK, MUTED, Chart, Trace, draw_line, escape_text
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.thinning import MOST_POINTS
from mot_dinov3.outputs.report.track_history import TrackHistory

CLASSES = ("#3d7ff2", "#f2662b", "#17a589", "#e0b03c", "#8e5bd9", "#d6569b", "#5b8c2a", "#8a6d5a")
MOST_TRACKS = 200
LABELLED = 45
"""Number of tracks above which their names are left out."""
BAR = 0.75
"""Height of a bar as a share of its row; plotly's own choice depends on the next bar of a class."""
ROW_PX, LEAST_PX, MOST_PX = 15, 220, 900


def choose_longest(run: RunData, most: int = MOST_TRACKS) -> list[TrackHistory]:
    """The confirmed tracks seen in most frames, at most `most`, in the order of their begin."""
    tracks = [track for track in run.tracks.values() if track.confirmed]
    chosen = sorted(tracks, key=lambda track: -track.seen)[:most]
    return sorted(chosen, key=lambda track: (track.begins, track.track_id))


def draw_gantt(run: RunData) -> Chart | None:
    """Draw a bar for every stretch of every track; None where no track was confirmed."""
    tracks = choose_longest(run)
    if not tracks:
        return None
    frame = run.frames["frame"].astype(np.int64)
    step = int(np.median(np.diff(frame))) if len(frame) > 1 else 1
    confirmed = sum(track.confirmed for track in run.tracks.values())
    bars, cut = _bars(run, tracks, frame, step)
    traces = [*_lost(tracks, frame, step), *bars, *_marks(tracks, frame)]
    places = list(range(len(tracks)))
    named = [escape_text(run.title_of(track)) for track in tracks]
    y: dict[str, Any] = {"range": [len(tracks) - 0.3, -0.7], "showgrid": False}
    if len(tracks) <= LABELLED:
        y |= {"tickvals": places, "ticktext": named}
    else:
        y |= {"showticklabels": False, "title": {"text": f"{len(tracks)} tracks"}}
    note = "A bar while a track is seen, dots while it is lost, a tick where it was embedded."
    height = min(MOST_PX, max(LEAST_PX, 90 + ROW_PX * len(tracks)))
    layout = {"yaxis": y, "hovermode": "closest", "barmode": "overlay", "bargap": 0.25}
    rest = f"The {len(tracks)} longest of {confirmed:,} tracks. " if confirmed > len(tracks) else ""
    return Chart("gantt", "When each track was seen", note, traces, layout, height, rest + cut)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A bar: the row of the chart, and the first and the last frame."""

    place: int
    text: str
    first: int
    last: int


def _bars(
    run: RunData, tracks: Sequence[TrackHistory], frame: NDArray[np.int64], step: int
) -> tuple[list[Trace], str]:
    """A trace for each class, and the sentence where short stretches were left out."""
    traces, cut = [], ""
    classes = sorted({track.class_id for track in tracks})
    for number, class_id in enumerate(classes):
        own = [(place, track) for place, track in enumerate(tracks) if track.class_id == class_id]
        name = escape_text(run.class_of(own[0][1]))
        bars = [
            _Stretch(place, f"{title} {name}", int(frame[begin]), int(frame[end]))
            for place, track in own
            for title in [escape_text(run.title_of(track))]
            for begin, end in track.spans
        ]
        if len(bars) > MOST_POINTS:
            cut = f"The {MOST_POINTS:,} longest stretches of a class."
            bars = sorted(bars, key=lambda bar: bar.first - bar.last)[:MOST_POINTS]
        traces.append(_draw_bars(bars, name, CLASSES[number % len(CLASSES)], step))
    return traces, cut


def _draw_bars(bars: Sequence[_Stretch], name: str, colour: str, step: int) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": [bar.place for bar in bars],
        "base": [bar.first for bar in bars],
        "x": [bar.last - bar.first + step for bar in bars],
        "text": [bar.text for bar in bars],
        "customdata": [[bar.first, bar.last] for bar in bars],
        "textposition": "none",
        "width": BAR,
        "hovertemplate": "%{text}: frames %{customdata[0]} to %{customdata[1]}<extra></extra>",
        "marker": {"color": colour, "line": {"width": 0}},
        "opacity": 0.85,
    }


def _lost(tracks: Sequence[TrackHistory], frame: NDArray[np.int64], step: int) -> list[Trace]:
    """A thin line in every gap of every track; no trace where there is no gap."""
    x: list[int | None] = []
    y: list[int | None] = []
    for place, track in enumerate(tracks):
        for (_, end), (begin, _) in pairwise(track.spans):
            x += [int(frame[end]) + step, int(frame[begin]), None]
            y += [place, place, None]
    x, y = x[: 3 * (MOST_POINTS // 3)], y[: 3 * (MOST_POINTS // 3)]
    style = {"width": 1, "color": MUTED, "dash": "dot"}
    return [draw_line("lost", x, y, line=style, hoverinfo="skip")] if x else []


def _marks(tracks: Sequence[TrackHistory], frame: NDArray[np.int64]) -> list[Trace]:
    """A tick for every embedding that was computed; no trace where there is none."""
    spots = [(place, row) for place, track in enumerate(tracks) for row in track.fresh]
    if len(spots) > MOST_POINTS:
        chosen = np.linspace(0, len(spots) - 1, MOST_POINTS).astype(int).tolist()
        spots = [spots[i] for i in chosen]
    size, opacity = (9, 1.0) if len(tracks) <= LABELLED else (4, 0.35)
    marks: Trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "embedding computed",
        "x": [int(frame[row]) for _, row in spots],
        "y": [place for place, _ in spots],
        "text": [f"ID {tracks[place].track_id}" for place, _ in spots],
        "hovertemplate": "%{text}: embedded in frame %{x}<extra></extra>",
        "opacity": opacity,
        "marker": {"symbol": "line-ns-open", "size": size, "color": INK, "line": {"width": 1}},
    }
    return [marks] if spots else []
