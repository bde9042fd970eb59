"""The page of one run: what it shows, and what it says is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.outputs.report.cards import cards
from mot_dinov3.outputs.report.charts import Chart
from mot_dinov3.outputs.report.crops import Album
from mot_dinov3.outputs.report.fate_charts import fates
from mot_dinov3.outputs.report.figures import figures
from mot_dinov3.outputs.report.film import Film
from mot_dinov3.outputs.report.lives import Life
from mot_dinov3.outputs.report.page import render
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.screen import screen, time_axis
from mot_dinov3.outputs.report.suspects import OVERLAP_S, SOON_S, find_suspects, high_similarity
from mot_dinov3.outputs.report.tables import facts, settings, stage_rows, versions
from mot_dinov3.outputs.report.time_charts import prediction, timeline
from mot_dinov3.outputs.report.track_charts import gantt, longest
from mot_dinov3.outputs.report.wall import pairs, wall


def run_page(
    run: RunData,
    albums: Mapping[int, Album],
    film: Film | None,
    page: Path,
    notices: tuple[str, ...] = (),
) -> str:
    """The report of one run as HTML.

    Args:
        run: the run.
        albums: identity -> its pictures; those of others are said to be missing.
        film: the video to show, None where there is none.
        page: where the file will be, for the way from there to the video.
        notices: what else has to be said at the top.
    """
    known = figures(run)
    lives = list(run.lives.values())
    suspects = find_suspects(lives, run.frames["time_s"])
    drawn = charts(run, known.source_fps or 0.0)
    identities, suspected = wall(run, albums), pairs(run, suspects, albums)
    pictures = sum(len(picture.source) for one in identities for picture in one.pictures)
    pictures += sum(len(pair.last.source) + len(pair.first.source) for pair in suspected)
    data = {"charts": [chart.as_dict() for chart in drawn], **time_axis([run])}
    box = screen(run, film, page, "film-0", data, pictures)
    data["films"] = [box.as_dict(run, film)]
    values = {
        "title": run.name,
        "version": __version__,
        "facts": facts(run),
        "notices": [*missing(run), *notices],
        "cards": cards(known, len(suspects)),
        "films": [box],
        "charts": drawn,
        "stages": stage_rows(run),
        "framed": bool(len(run.frames)),
        "suspects": suspected,
        "soon": f"{SOON_S:g}",
        "in_place_s": f"{OVERLAP_S:g}",
        "high": high_similarity(life for life in lives if life.confirmed),
        "identities": identities,
        "everybody": sum(life.confirmed for life in lives),
        "own_settings": settings(run, changed=True),
        "all_settings": settings(run),
        "versions": versions(run),
    }
    return render("run.html", values, data)


def shown_lives(run: RunData) -> list[Life]:
    """Everybody of whom the page has pictures: the wall and the suspects."""
    suspects = find_suspects(list(run.lives.values()), run.frames["time_s"])
    known = {life.track_id: life for life in longest(run)}
    for pair in suspects:
        known |= {i: run.lives[i] for i in (pair.ended, pair.begun)}
    return list(known.values())


def charts(run: RunData, source_fps: float) -> list[Chart]:
    """Every chart for which there is something to draw."""
    if not len(run.frames):
        return []
    drawn = (timeline(run, source_fps), fates(run), gantt(run), prediction(run))
    return [chart for chart in drawn if chart is not None]


def missing(run: RunData) -> list[str]:
    """What the page cannot show, and what would have been needed."""
    out = []
    if not len(run.frames):
        out.append(
            "Made from the figures alone: without the file of --save-jsonl nothing can be drawn "
            "over time, and there are no tracks to show."
        )
    elif run.facts is None:
        out.append(
            "Made from the frames alone: without the file of --stats-json the settings, the "
            "speed of the run and the faults of the input are not known."
        )
    if run.cut:
        out.append("The last frame was half written, as a killed run leaves it, and is left out.")
    embedded = any(life.fresh for life in run.lives.values())
    compared = any(life.similarity or life.resembles for life in run.lives.values())
    if embedded and not compared:
        out.append(
            "How like their past the embeddings were is not written down in these frames, so "
            "drift is not shown and switches are suspected by place alone."
        )
    return out


def no_pictures(albums: Mapping[Any, Any], reason: str) -> tuple[str, ...]:
    """The notice for a page without crops, none where there are some."""
    return () if albums else (f"There are no pictures of identities: {reason}",)
