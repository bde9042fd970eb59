"""The chart of who was there when."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.report.charts import INK, MUTED, Chart, Trace, line, plain
from mot_dinov3.outputs.report.lives import Life
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.thinning import MOST_POINTS

CLASSES = ("#3d7ff2", "#f2662b", "#17a589", "#e0b03c", "#8e5bd9", "#d6569b", "#5b8c2a", "#8a6d5a")
MOST_TRACKS = 200
LABELLED = 45
"""More tracks than this have no room for their names beside them."""
BAR = 0.75
"""Of a row; without it the bars of a class grow until they meet the next of that class."""
ROW_PX, LEAST_PX, MOST_PX = 15, 220, 900


def longest(run: RunData, most: int = MOST_TRACKS) -> list[Life]:
    """The confirmed identities seen in most frames, at most `most`, in the order of arrival."""
    lives = [life for life in run.lives.values() if life.confirmed]
    chosen = sorted(lives, key=lambda life: -life.seen)[:most]
    return sorted(chosen, key=lambda life: (life.begins, life.track_id))


def gantt(run: RunData) -> Chart | None:
    """A bar for every stretch of every track; None where nobody was tracked."""
    lives = longest(run)
    if not lives:
        return None
    frame = run.frames["frame"].astype(np.int64)
    step = int(np.median(np.diff(frame))) if len(frame) > 1 else 1
    everybody = sum(life.confirmed for life in run.lives.values())
    bars, cut = _bars(run, lives, frame, step)
    traces = [*_lost(lives, frame, step), *bars, *_marks(lives, frame)]
    places = list(range(len(lives)))
    named = [f"ID {life.track_id}" for life in lives]
    y: dict[str, Any] = {"range": [len(lives) - 0.3, -0.7], "showgrid": False}
    if len(lives) <= LABELLED:
        y |= {"tickvals": places, "ticktext": named}
    else:
        y |= {"showticklabels": False, "title": {"text": f"{len(lives)} tracks"}}
    note = (
        "A bar while an identity is seen, a thin line while it is lost, a tick where an embedding "
        "was computed. Click a bar to see it in the video."
    )
    height = min(MOST_PX, max(LEAST_PX, 90 + ROW_PX * len(lives)))
    layout = {"yaxis": y, "hovermode": "closest", "barmode": "overlay", "bargap": 0.25}
    rest = f"The {len(lives)} longest of {everybody:,} tracks. " if everybody > len(lives) else ""
    return Chart("gantt", "Who was there when", note, traces, layout, height, rest + cut)


def _bars(
    run: RunData, lives: Sequence[Life], frame: NDArray[np.int64], step: int
) -> tuple[list[Trace], str]:
    """A trace for each class; and what to say where short stretches were left out."""
    traces, cut = [], ""
    classes = sorted({life.class_id for life in lives})
    for number, class_id in enumerate(classes):
        own = [(place, life) for place, life in enumerate(lives) if life.class_id == class_id]
        spans = [(end - begin, place, life, begin, end)
                 for place, life in own for begin, end in life.spans]  # fmt: skip
        if len(spans) > MOST_POINTS:
            cut = f"The {MOST_POINTS:,} longest stretches of a class."
            spans = sorted(spans, key=lambda span: -span[0])[:MOST_POINTS]
        name = plain(run.class_of(own[0][1]))
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": [place for _, place, _, _, _ in spans],
                "base": [int(frame[begin]) for *_, begin, _ in spans],
                "x": [int(frame[end] - frame[begin]) + step for *_, begin, end in spans],
                "text": [f"ID {life.track_id} {name}" for _, _, life, _, _ in spans],
                "customdata": [[int(frame[begin]), int(frame[end])] for *_, begin, end in spans],
                "textposition": "none",
                "width": BAR,
                "hovertemplate": "%{text}: frames %{customdata[0]} to %{customdata[1]}"
                                 "<extra></extra>",
                "marker": {"color": CLASSES[number % len(CLASSES)], "line": {"width": 0}},
                "opacity": 0.85,
            }
        )  # fmt: skip
    return traces, cut


def _lost(lives: Sequence[Life], frame: NDArray[np.int64], step: int) -> list[Trace]:
    """A thin line in every gap of everybody; nothing where there is none."""
    x: list[int | None] = []
    y: list[int | None] = []
    for place, life in enumerate(lives):
        for (_, end), (begin, _) in pairwise(life.spans):
            x += [int(frame[end]) + step, int(frame[begin]), None]
            y += [place, place, None]
    x, y = x[: 3 * (MOST_POINTS // 3)], y[: 3 * (MOST_POINTS // 3)]
    look = {"width": 1, "color": MUTED, "dash": "dot"}
    return [line("lost", x, y, line=look, hoverinfo="skip")] if x else []


def _marks(lives: Sequence[Life], frame: NDArray[np.int64]) -> list[Trace]:
    """A tick for every embedding that was computed; nothing where none was."""
    spots = [(place, row) for place, life in enumerate(lives) for row in life.fresh]
    if len(spots) > MOST_POINTS:
        chosen = np.linspace(0, len(spots) - 1, MOST_POINTS).astype(int).tolist()
        spots = [spots[i] for i in chosen]
    size, opacity = (9, 1.0) if len(lives) <= LABELLED else (4, 0.35)
    marks: Trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "embedding computed",
        "x": [int(frame[row]) for _, row in spots],
        "y": [place for place, _ in spots],
        "text": [f"ID {lives[place].track_id}" for place, _ in spots],
        "hovertemplate": "%{text}: embedded in frame %{x}<extra></extra>",
        "opacity": opacity,
        "marker": {"symbol": "line-ns-open", "size": size, "color": INK, "line": {"width": 1}},
    }
    return [marks] if spots else []
