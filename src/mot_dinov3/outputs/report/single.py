"""The page of one run: what it shows, and what it says is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.outputs.report.cards import build_cards
from mot_dinov3.outputs.report.charts import Chart
from mot_dinov3.outputs.report.count_charts import draw_counts
from mot_dinov3.outputs.report.crops import Album
from mot_dinov3.outputs.report.figures import find_figures
from mot_dinov3.outputs.report.identities import build_identities, build_pairs
from mot_dinov3.outputs.report.maps import draw_heat, draw_ways
from mot_dinov3.outputs.report.page import render
from mot_dinov3.outputs.report.places import Still
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.suspects import (
    OVERLAP_S,
    SOON_S,
    find_high_similarity,
    find_suspects,
)
from mot_dinov3.outputs.report.tables import (
    build_stage_rows,
    describe_run,
    list_settings,
    list_versions,
)
from mot_dinov3.outputs.report.time_charts import draw_fates, draw_prediction, draw_timeline
from mot_dinov3.outputs.report.track_charts import choose_longest, draw_gantt
from mot_dinov3.outputs.report.track_history import TrackHistory
from mot_dinov3.outputs.report.video import ReportVideo
from mot_dinov3.outputs.report.video_box import build_time_axis, build_video_box
from mot_dinov3.outputs.summary import explain_appearance


def run_page(
    run: RunData,
    albums: Mapping[int, Album],
    video: ReportVideo | None,
    page: Path,
    notices: tuple[str, ...] = (),
    still: Still | None = None,
) -> str:
    """The report of one run as HTML.

    Args:
        run: the run.
        albums: identity -> its pictures; the page says where there are none.
        video: the video to show, None where there is none.
        page: where the file will be, for the path from there to the video.
        notices: further sentences for the top of the page.
        still: a picture of the place for the maps, None to draw them on plain ground.
    """
    known = find_figures(run)
    tracks = list(run.tracks.values())
    suspects = find_suspects(tracks, run.frames["time_s"])
    drawn = draw_charts(run, known.source_fps or 0.0, still)
    identities, suspected = build_identities(run, albums), build_pairs(run, suspects, albums)
    pictures = sum(len(picture.source) for one in identities for picture in one.pictures)
    pictures += sum(len(pair.last.source) + len(pair.first.source) for pair in suspected)
    data = {"charts": [chart.as_dict() for chart in drawn], **build_time_axis([run])}
    box = build_video_box(run, video, page, "film-0", data, pictures)
    data["films"] = [box.as_dict(run, video)]
    values = {
        "title": run.name,
        "version": __version__,
        "facts": describe_run(run),
        "notices": [*list_missing(run), *notices],
        "cards": build_cards(known, len(suspects)),
        "films": [box],
        "charts": drawn,
        "stages": build_stage_rows(run),
        "framed": bool(len(run.frames)),
        "suspects": suspected,
        "soon": f"{SOON_S:g}",
        "in_place_s": f"{OVERLAP_S:g}",
        "high": find_high_similarity(track for track in tracks if track.confirmed),
        "identities": identities,
        "confirmed": sum(track.confirmed for track in tracks),
        "own_settings": list_settings(run, changed=True),
        "all_settings": list_settings(run),
        "versions": list_versions(run),
    }
    return render("run.html", values, data)


def choose_shown_tracks(run: RunData) -> list[TrackHistory]:
    """The tracks of which the page shows pictures: the longest ones and the suspected switches."""
    suspects = find_suspects(list(run.tracks.values()), run.frames["time_s"])
    known = {track.track_id: track for track in choose_longest(run)}
    for pair in suspects:
        known |= {i: run.tracks[i] for i in (pair.ended, pair.begun)}
    return list(known.values())


def draw_charts(run: RunData, source_fps: float, still: Still | None = None) -> list[Chart]:
    """Every chart that has something to draw."""
    if not len(run.frames):
        return []
    drawn = (
        draw_timeline(run, source_fps),
        draw_fates(run),
        draw_gantt(run),
        *draw_counts(run.counts),
        draw_prediction(run),
        draw_heat(run, still),
        draw_ways(run, still),
    )
    return [chart for chart in drawn if chart is not None]


def list_missing(run: RunData) -> list[str]:
    """Sentences that say what the run or its page lacks, and what is needed for it."""
    out: list[str] = []
    counts = run.facts.counts if run.facts is not None else None
    if counts is not None and counts.appearance is not None:
        out += filter(None, [explain_appearance(counts.appearance)])
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
    embedded = any(track.fresh for track in run.tracks.values())
    compared = any(track.similarity or track.resembles for track in run.tracks.values())
    if embedded and not compared:
        out.append(
            "The similarity of embeddings to those before them is not written down in these "
            "frames, so drift is not shown and switches are suspected by place alone."
        )
    return out


def explain_no_pictures(albums: Mapping[Any, Any], reason: str) -> tuple[str, ...]:
    """The notice for a page without pictures; none where there are some."""
    return () if albums else (f"There are no pictures of identities: {reason}",)
