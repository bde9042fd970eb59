"""The page of several runs: which flags differ, and what that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.config import OutputConfig, TalkConfig, TrackConfig, flag_fields
from mot_dinov3.config.flat import as_dict, key_of
from mot_dinov3.outputs.report.compare_charts import draw_overlays
from mot_dinov3.outputs.report.figures import ReportFigures, find_figures
from mot_dinov3.outputs.report.page import render
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.single import list_missing
from mot_dinov3.outputs.report.suspects import find_suspects
from mot_dinov3.outputs.report.tables import describe_run, find_stages, flag_of, to_text
from mot_dinov3.outputs.report.video import ReportVideo
from mot_dinov3.outputs.report.video_box import VideoBox, build_time_axis, build_video_box
from mot_dinov3.values.run_facts import Spread

COLOURS = ("#3d7ff2", "#f2662b", "#17a589", "#8e5bd9", "#e0b03c", "#d6569b")
PLACES = {
    *(key_of(item) for item in flag_fields(OutputConfig)),
    *(key_of(item) for item in flag_fields(TalkConfig)),
    *("journal", "resume", "serve", "show", "batch_json"),
} - {"no_video", "crops_of", "crops_per_id"}
"""Settings that say where results go and who is told of them: they change no result."""
UNKNOWN = "\N{EN DASH}"
MORE, LESS = 1, -1


@dataclass(frozen=True, slots=True)
class ComparedCell:
    """A value of one run, and how it stands to the first run's."""

    text: str
    change: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One figure or flag of all runs."""

    name: str
    cells: tuple[ComparedCell, ...]


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run in the page."""

    name: str
    colour: str
    facts: list[str]


def compare_page(runs: Sequence[RunData], films: Sequence[ReportVideo | None], page: Path) -> str:
    """Two to six runs laid over each other, as HTML; the first is what others are held against.

    Args:
        runs: the runs.
        films: the video of each, None where there is none.
        page: where the file will be.
    """
    known = [find_figures(run) for run in runs]
    names = build_titles(runs)
    drawn = draw_overlays(runs, names, COLOURS)
    data: dict[str, Any] = {"charts": [chart.as_dict() for chart in drawn], **build_time_axis(runs)}
    boxes: list[VideoBox] = []
    for number, (run, film) in enumerate(zip(runs, films, strict=True)):
        taken = sum(len(box.embedded) for box in boxes)
        box = build_video_box(run, film, page, f"film-{number}", data, taken)
        boxes.append(replace(box, colour=COLOURS[number]))
    data["films"] = [
        box.as_dict(run, film) for box, run, film in zip(boxes, runs, films, strict=True)
    ]
    values = {
        "title": " / ".join(names),
        "version": __version__,
        "facts": [f"{len(runs)} runs"],
        "notices": [f"{name}: {text}" for name, run in zip(names, runs, strict=True)
                    for text in list_missing(run)],
        "columns": [ComparedRun(name, colour, describe_run(run))
                    for name, colour, run in zip(names, COLOURS, runs, strict=False)],
        "flags": find_differences(runs),
        "figures": build_table(runs, known),
        "films": boxes,
        "charts": drawn,
    }  # fmt: skip
    return render("compare.html", values, data)


def build_titles(runs: Sequence[RunData]) -> list[str]:
    """A letter for each run, and what it is called."""
    return [f"{chr(ord('A') + n)} {run.name}" for n, run in enumerate(runs)]


def find_differences(runs: Sequence[RunData]) -> list[ComparedRow]:
    """Settings that are not the same in all runs; the default where one does not say it."""
    usual = as_dict(TrackConfig())
    keys = sorted({str(key) for run in runs for key in run.settings} - set(PLACES))
    out = []
    for key in keys:
        found = [run.settings.get(key, usual.get(key)) if run.settings else None for run in runs]
        if any(value != found[0] for value in found):
            words = (to_text(v) if v is not None and v != "" else UNKNOWN for v in found)
            out.append(ComparedRow(flag_of(key), tuple(map(ComparedCell, words))))
    return out


def build_table(runs: Sequence[RunData], known: Sequence[ReportFigures]) -> list[ComparedRow]:
    """Figures side by side; nothing of which no run knows anything."""
    rows: list[tuple[str, list[float | None], int, str]] = [
        ("frames", [f.frames for f in known], 0, ",.0f"),
        ("frames a second", [f.fps for f in known], MORE, ".1f"),
    ]
    for name in (item.name for item in fields(Spread)):
        found = [getattr(f.latency_ms, name, None) for f in known]
        rows.append((f"latency {name}, ms", found, LESS, ".1f"))
    stages = [find_stages(run) for run in runs]
    for stage in dict.fromkeys(name for one in stages for name in one):
        means = [one[stage].mean_ms if stage in one else None for one in stages]
        rows.append((f"{stage}, mean ms", means, LESS, ".2f"))
    for fate in ("computed", "critical", "refresh", "reused", "deferred", "starved"):
        rows.append((f"embeddings {fate}", [_count(f, fate) for f in known], 0, ",.0f"))
    limited = [f.budget if f.budget and f.budget.ms else None for f in known]
    rows += [
        ("share of them computed, %",
         [None if f.share is None else 100 * f.share for f in known], 0, ".1f"),
        ("embedding budget, ms", [one.ms if one else None for one in limited], 0, ".3g"),
        ("frames over budget", [one.frames_over if one else None for one in limited], LESS,
         ",.0f"),
        ("confirmed tracks", [f.confirmed for f in known], 0, ",.0f"),
        ("suspected switches", [_suspects(run) for run in runs], LESS, ",.0f"),
        ("faults", [None if f.faults is None else sum(f.faults.values()) for f in known],
         LESS, ",.0f"),
    ]  # fmt: skip
    lines = [
        ComparedRow(name, build_cells(values, better, form)) for name, values, better, form in rows
    ]
    return [line for line in lines if any(cell.text not in (UNKNOWN, "0") for cell in line.cells)]


def build_cells(values: Sequence[float | None], better: int, form: str) -> tuple[ComparedCell, ...]:
    """Values as text, with their change against the first in percent.

    Args:
        values: one for each run, None where it is not known.
        better: 1 where more is better, -1 where less is, 0 where neither.
        form: how a number is written.
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


def _count(known: ReportFigures, fate: str) -> float | None:
    return None if known.embeddings is None else float(getattr(known.embeddings, fate))


def _suspects(run: RunData) -> float | None:
    if not len(run.frames):
        return None
    return float(len(find_suspects(list(run.tracks.values()), run.frames["time_s"])))
