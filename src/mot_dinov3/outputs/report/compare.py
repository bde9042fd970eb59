"""The page of several runs: which flags differ, and what that changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.outputs.count_words import count_crossings
from mot_dinov3.outputs.report.compare_charts import draw_overlays
from mot_dinov3.outputs.report.differences import (
    UNKNOWN,
    ComparedCell,
    ComparedRow,
    build_titles,
    find_common_name,
    find_differences,
)
from mot_dinov3.outputs.report.figures import ReportFigures, find_figures
from mot_dinov3.outputs.report.page import render
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.single import list_missing
from mot_dinov3.outputs.report.suspects import find_suspects
from mot_dinov3.outputs.report.tables import describe_run, find_stages
from mot_dinov3.outputs.report.time_charts import FATES
from mot_dinov3.outputs.report.video import ReportVideo
from mot_dinov3.outputs.report.video_box import VideoBox, build_time_axis, build_video_box
from mot_dinov3.values.run_facts import Spread

COLOURS = ("#3d7ff2", "#f2662b", "#17a589", "#8e5bd9", "#e0b03c", "#d6569b")
MORE, LESS = 1, -1


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run of the page.

    Attributes:
        name: its title.
        colour: in charts and tables.
        facts: what it was made with, in a few words each.
    """

    name: str
    colour: str
    facts: list[str]


def compare_page(runs: Sequence[RunData], videos: Sequence[ReportVideo | None], page: Path) -> str:
    """The page of two to six runs as HTML; the others are compared with the first.

    Args:
        runs: the runs.
        videos: of each run, None where there is none.
        page: where the file will be.
    """
    known = [find_figures(run) for run in runs]
    names = build_titles(runs)
    drawn = draw_overlays(runs, names, COLOURS)
    data: dict[str, Any] = {"charts": [chart.as_dict() for chart in drawn], **build_time_axis(runs)}
    boxes: list[VideoBox] = []
    for number, (run, video) in enumerate(zip(runs, videos, strict=True)):
        taken = sum(len(box.embedded) for box in boxes)
        box = build_video_box(run, video, page, f"film-{number}", data, taken)
        boxes.append(replace(box, colour=COLOURS[number], title=names[number]))
    data["films"] = [
        box.as_dict(run, video) for box, run, video in zip(boxes, runs, videos, strict=True)
    ]
    known_runs = list(zip(names, COLOURS, runs, strict=False))
    values = {
        "title": find_common_name(runs) or " / ".join(names),
        "version": __version__,
        "facts": [f"{len(runs)} runs"],
        "notices": [f"{name}: {text}" for name, _, run in known_runs for text in list_missing(run)],
        "columns": [
            ComparedRun(name, colour, describe_run(run)) for name, colour, run in known_runs
        ],
        "flags": find_differences(runs),
        "figures": build_table(runs, known),
        "films": boxes,
        "charts": drawn,
    }
    return render("compare.html", values, data)


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure of all runs.

    Attributes:
        name: as the table shows it.
        values: of each run, None where it is not known.
        better: `MORE`, `LESS`, or 0 where neither is better.
        form: format of a number.
        colour: in charts, "" for none.
    """

    name: str
    values: Sequence[float | None]
    better: int = 0
    form: str = ",.0f"
    colour: str = ""


def build_table(runs: Sequence[RunData], known: Sequence[ReportFigures]) -> list[ComparedRow]:
    """The figures of the runs side by side, without those that no run knows."""
    figures = [
        _Figure("frames", [f.frames for f in known]),
        _Figure("frames a second", [f.fps for f in known], MORE, ".1f"),
        *_compare_times(runs, known),
        *_compare_counts(runs, known),
    ]
    rows = [
        ComparedRow(one.name, build_cells(one.values, one.better, one.form), one.colour)
        for one in figures
    ]
    return [row for row in rows if any(cell.text not in (UNKNOWN, "0") for cell in row.cells)]


def _compare_times(runs: Sequence[RunData], known: Sequence[ReportFigures]) -> Iterator[_Figure]:
    """Latencies, and the time of every stage that one of the runs has."""
    for name in (item.name for item in fields(Spread)):
        found = [getattr(f.latency_ms, name, None) for f in known]
        yield _Figure(f"latency {name}, ms", found, LESS, ".1f")
    stages = [find_stages(run) for run in runs]
    for stage in dict.fromkeys(name for one in stages for name in one):
        means = [one[stage].mean_ms if stage in one else None for one in stages]
        yield _Figure(f"{stage}, mean ms", means, LESS, ".2f")


def _compare_counts(runs: Sequence[RunData], known: Sequence[ReportFigures]) -> Iterator[_Figure]:
    """Embeddings, their budget, tracks, what was counted, and faults."""
    for fate in ("computed", "critical", "refresh", "reused", "deferred", "starved"):
        found = [getattr(f.embeddings, fate, None) for f in known]
        yield _Figure(f"embeddings {fate}", found, colour=FATES.get(fate, ""))
    shares = [None if f.share is None else 100 * f.share for f in known]
    yield _Figure("share of them computed, %", shares, form=".1f")
    limited = [f.budget if f.budget and f.budget.ms else None for f in known]
    yield _Figure("embedding budget, ms", [b.ms if b else None for b in limited], form=".3g")
    yield _Figure("frames over budget", [b.frames_over if b else None for b in limited], LESS)
    yield _Figure("confirmed tracks", [f.confirmed for f in known])
    yield _Figure("suspected switches", [_count_suspects(run) for run in runs], LESS)
    yield from _compare_places(known)
    faults = [None if f.faults is None else sum(f.faults.values()) for f in known]
    yield _Figure("faults", faults, LESS)


def _compare_places(known: Sequence[ReportFigures]) -> Iterator[_Figure]:
    """What was counted at the lines and zones of the runs, which may have different ones."""
    for name in dict.fromkeys(name for f in known for name in f.lines):
        ways = [count_crossings(f.lines[name]) if name in f.lines else None for f in known]
        yield _Figure(f"line {name}, in", [way[0] if way else None for way in ways])
        yield _Figure(f"line {name}, out", [way[1] if way else None for way in ways])
    for name in dict.fromkeys(name for f in known for name in f.zones):
        zones = [f.zones.get(name) for f in known]
        entered = [sum(zone.entered.values()) if zone else None for zone in zones]
        yield _Figure(f"zone {name}, entered", entered)


def build_cells(values: Sequence[float | None], better: int, form: str) -> tuple[ComparedCell, ...]:
    """Values as text, with their change against the first in percent.

    Args:
        values: one for each run, None where it is not known.
        better: 1 where more is better, -1 where less is better, 0 for neither.
        form: format of a number.
    """
    first, out = values[0], []
    for number, value in enumerate(values):
        if value is None:
            out.append(ComparedCell(UNKNOWN))
        elif number and first:
            change = 100 * (value - first) / abs(first)
            good = better * change > 0
            tone = "" if not better or abs(change) < 1 else "down" if good else "up"
            out.append(
                ComparedCell(format(value, form), f"{change:+.1f} %" if change else "same", tone)
            )
        else:
            out.append(ComparedCell(format(value, form)))
    return tuple(out)


def _count_suspects(run: RunData) -> int | None:
    if not len(run.frames):
        return None
    return len(find_suspects(list(run.tracks.values()), run.frames["time_s"]))
