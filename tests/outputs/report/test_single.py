"""The page of one run: true figures, charts that plotly accepts, and nothing faked."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.reports import figures as written
from helpers.reports import line, recorded, result, track, walk, write_figures, write_journal
from mot_dinov3.outputs.report.cards import BAD, PLAIN, UNKNOWN, build_cards
from mot_dinov3.outputs.report.figures import find_figures
from mot_dinov3.outputs.report.finding import find_runs, load_run
from mot_dinov3.outputs.report.identities import build_spark
from mot_dinov3.outputs.report.recorder import RunData, RunRecorder
from mot_dinov3.outputs.report.single import draw_charts, list_missing, run_page
from mot_dinov3.outputs.report.tables import build_stage_rows
from mot_dinov3.outputs.report.track_charts import MOST_TRACKS, choose_longest
from mot_dinov3.values import EmbedCounts
from mot_dinov3.values.run_facts import BudgetFacts, EmbeddingFacts

pytest.importorskip("jinja2")
go = pytest.importorskip("plotly.graph_objects")

PAGE = Path("report.html")


@pytest.fixture
def run(tmp_path):
    write_journal(tmp_path / "a.jsonl", walk())
    write_figures(tmp_path / "a.json", config={"embed_budget_ms": 6.0, "no_video": True})
    return load_run(find_runs([tmp_path])[0])


def only(tmp_path, lines=None, stats=None):
    if lines is not None:
        write_journal(tmp_path / "a.jsonl", lines)
    if stats is not None:
        (tmp_path / "a.json").write_text(json.dumps(stats))
    return load_run(find_runs([tmp_path])[0])


def test_figures_are_counted_from_the_frames(run):
    known = find_figures(run)
    assert (known.frames, known.confirmed, known.initiated) == (40, 2, 5)
    assert known.embeddings == EmbeddingFacts(80, 40, 40, 120, 40, per_frame=2.0)
    assert known.share == pytest.approx(80 / 240)
    assert known.budget == BudgetFacts(6.0)
    assert known.faults == {"corrupt_packets": 2}
    assert (known.fps, known.source_fps) == (40.0, 25.0)
    assert known.seconds == pytest.approx(40 / 25)


def test_times_are_those_of_the_summary(run, tmp_path):
    """A frame is put down before it is written whole, so what it says is too little."""
    assert find_figures(run).latency_ms.p95 == 31.0
    assert [(row.name, row.p95, row.share) for row in build_stage_rows(run)] == [
        ("detect", "21.00", "80.0 %")
    ]
    (tmp_path / "a.json").unlink()
    killed = load_run(find_runs([tmp_path])[0])
    assert find_figures(killed).latency_ms.p95 == 30.0
    assert [(row.name, row.mean, row.share) for row in build_stage_rows(killed)] == [
        ("detect", "20.00", "78.4 %"), ("embed", "4.00", "15.7 %"), ("read", "1.00", "3.9 %"),
        ("write", "0.50", "2.0 %"),
    ]  # fmt: skip


def test_overshoots_are_counted(tmp_path):
    lines = walk(10)
    lines[3]["embed"] |= {"embed_ms": 9.5}
    lines[4]["embed"] |= {"embed_ms": 8.0, "critical_ms": 7.0}
    known = find_figures(only(tmp_path, lines))
    assert known.budget == BudgetFacts(6.0, 2, 3.5, 1)


def test_one_of_a_kind_is_singular(tmp_path):
    lines = walk(4)
    lines[3]["embed"] |= {"embed_ms": 9.5}
    run = only(tmp_path, lines)
    (over,) = (card for card in build_cards(find_figures(run), 1) if card.title == "Over budget")
    assert (over.value, over.unit) == ("1", "frame")
    (tracks,) = (card for card in build_cards(find_figures(run), 1) if card.title == "Tracks")
    assert tracks.note.endswith("1 suspected switch")
    page = run_page(run, {}, None, PAGE)
    assert re.findall(r"\d+ embeddings?\b", page) == ["0 embeddings", "1 embedding"]


def test_what_was_learned_of_appearance_is_a_card(run, tmp_path):
    (card,) = (one for one in build_cards(find_figures(run), 0) if one.title == "Appearance")
    assert (card.value, card.unit, card.tone) == ("0.980", "AUC", PLAIN)
    assert card.note == (
        "the same object 0.870, others 0.460 (median cosine); lost tracks return from 0.740 on"
    )
    assert card.note in run_page(run, {}, None, PAGE)
    alone = only(tmp_path, stats=written(tracks={"born": 5, "confirmed": 2}))
    assert "Appearance" not in [one.title for one in build_cards(find_figures(alone), 0)]


def test_an_embedder_that_cannot_tell_has_a_bad_card(run):
    known = find_figures(run)
    blind = replace(known.appearance, returns=False, used=False, same=None, auc=None)
    (card,) = (
        one for one in build_cards(replace(known, appearance=blind), 0) if one.title == "Appearance"
    )
    assert (card.value, card.tone) == (UNKNOWN, BAD)
    assert card.note == ("no object met twice, others 0.460 (median cosine)")
    run.facts = replace(run.facts, counts=replace(run.facts.counts, appearance=blind))
    (notice,) = list_missing(run)
    assert notice == (
        "Some time later the embedder recognises hardly any object, so appearance is not used. "
        "Take another embedder, or a number for --reid-similarity."
    )


def test_frames_alone_say_what_is_not_known(tmp_path):
    run = only(tmp_path, walk())
    known = find_figures(run)
    assert (known.fps, known.faults, known.initiated) == (None, None, None)
    assert known.source_fps == 25.0
    values = {card.title: card.value for card in build_cards(known, 0)}
    assert values["Speed"] == values["Faults"] == UNKNOWN
    assert values["Frames"] == "40"
    assert any("--stats-json" in text for text in list_missing(run))


def test_figures_alone_say_what_is_not_known(tmp_path):
    run = only(tmp_path, stats=written())
    known = find_figures(run)
    assert (known.frames, known.budget.frames_over, known.confirmed) == (40, 3, 2)
    assert known.latency_ms.p99 == 32.0
    assert draw_charts(run, 25.0) == []
    page = run_page(run, {}, None, PAGE)
    assert "Made from the figures alone" in page
    assert "nothing to draw" in page
    assert "Suspected" not in page


def test_broken_figures_become_unknown_not_wrong(tmp_path):
    odd = written(config=["x"], stages=7, tracks=None, faults="many", source=3, latency_ms=[],
                  budget="none", device=3, versions=[], frame_size="big", fps="fast",
                  embeddings=7)  # fmt: skip
    run = only(tmp_path, stats=odd)
    known = find_figures(run)
    assert (known.fps, known.confirmed, known.faults, known.embeddings) == (None, None, None, None)
    assert "report" in run_page(run, {}, None, PAGE)


def test_every_chart_is_one_that_plotly_accepts(run):
    drawn = {chart.key: chart for chart in draw_charts(run, 25.0)}
    assert list(drawn) == [*("timeline", "fates", "gantt", "prediction", "heat", "ways")]
    for chart in drawn.values():
        go.Figure(data=black(chart.traces), layout=black(chart.layout))


def black(values):
    """The colours of the page's theme as one that plotly knows."""
    return json.loads(re.sub(r'"@\w+"', '"#000"', json.dumps(values)))


def test_a_run_with_a_budget_in_time_is_said_to_be_not_repeatable(run):
    assert "not repeatable" not in run_page(run, {}, None, PAGE)
    run.facts = replace(run.facts, repeatable=False)
    assert "not repeatable: its budget follows measured times" in run_page(run, {}, None, PAGE)


def test_the_timeline_shows_stages_budget_and_pace(run):
    (timeline,) = [chart for chart in draw_charts(run, 25.0) if chart.key == "timeline"]
    traces = {trace["name"]: trace for trace in timeline.traces}
    assert next(iter(traces)) == "embed"
    assert traces["detect"]["y"] == [20.0] * 40
    assert traces["embedding budget"]["y"] == [6.0] * 40
    assert traces["source pace (25 fps)"]["y"] == [40.0, 40.0]
    assert traces["latency"]["y"] == [30.0] * 40


def test_prediction_is_drawn_against_what_was_measured(run):
    (chart,) = [chart for chart in draw_charts(run, 25.0) if chart.key == "prediction"]
    points = chart.traces[0]
    assert (points["x"][0], points["y"][0], points["customdata"]) == (5.0, 4.0, list(range(40)))


def spiked(ms, **budget):
    """Sixty steady frames of 21 ms, the first of which take so long as listed."""
    frames = [result(i, {1: (0, 0, 9, 9)}) for i in range(60)]
    frames = [replace(one, embed=EmbedCounts(**budget)) for one in frames]
    recorder = RunRecorder()
    for row, one in enumerate(frames):
        slow = ms[row] if row < len(ms) else 20.0
        recorder.add(one, {"detect": slow, "embed": 1.0}, slow + 1)
    return draw_charts(RunData("run", recorder.frames, recorder.tracks), 25.0)[0]


def test_slow_first_frames_do_not_flatten_the_budget_and_are_told():
    timeline = spiked([2000.0, 700.0], budget_ms=10.0)
    _, top = timeline.layout["yaxis"]["range"]
    assert 40 < top < 60
    assert timeline.thinned == "2 frames lie beyond the axis, the highest at 2,001 ms."
    assert spiked([500.0], budget_ms=10.0).thinned == "1 frame lies beyond the axis, at 501 ms."


def test_an_axis_goes_on_to_a_peak_that_is_not_far_and_to_the_budget():
    peak = spiked([70.0])
    assert peak.thinned == ""
    assert peak.layout["yaxis"]["range"][1] == pytest.approx(1.05 * 71)
    assert spiked([], budget_ms=300.0).layout["yaxis"]["range"][1] > 300


def test_an_area_has_the_colour_of_its_name(run):
    for chart in draw_charts(run, 25.0):
        for trace in chart.traces:
            if "stackgroup" in trace:
                assert trace["fillcolor"] == trace["line"]["color"]


def test_every_chart_has_one_line_of_text(run):
    for chart in draw_charts(run, 25.0):
        assert 20 < len(chart.note) < 100, chart.key


def test_fates_and_backlog_add_up(run):
    (chart,) = [chart for chart in draw_charts(run, 25.0) if chart.key == "fates"]
    traces = {trace["name"]: trace["y"][0] for trace in chart.traces}
    assert traces == {"critical": 1, "refresh": 1, "deferred": 1, "reused": 3, "backlog": 1}


def test_tracks_are_bars_with_gaps_and_marks(tmp_path):
    box = (10, 10, 50, 110)
    lines = [line(i, () if i in (4, 5) else (track(7, box, fresh=i == 2),)) for i in range(10)]
    (gantt,) = [c for c in draw_charts(only(tmp_path, lines), 25.0) if c.key == "gantt"]
    lost, bars, marks = gantt.traces
    assert bars["width"] < 1, "a class of its own must not cover its neighbours' rows"
    assert (bars["base"], bars["x"], bars["name"]) == ([0, 6], [4, 4], "person")
    assert (lost["x"], marks["x"]) == ([4, 6, None], [2])


def test_colours_are_of_classes(run):
    (gantt,) = [chart for chart in draw_charts(run, 25.0) if chart.key == "gantt"]
    bars = [trace for trace in gantt.traces if trace["type"] == "bar"]
    assert {trace["name"] for trace in bars} == {"person", "car"}
    assert len({trace["marker"]["color"] for trace in bars}) == 2


def test_at_most_two_hundred_identities_are_shown():
    many = MOST_TRACKS + 50
    frames = [result(i, {k + 1: (k, 0, k + 9, 9) for k in range(many) if i <= k}) for i in range(3)]
    assert len(choose_longest(recorded(frames))) == MOST_TRACKS
    page = run_page(recorded(frames), {}, None, PAGE)
    assert page.count('<article class="identity"') == MOST_TRACKS
    assert "those seen longest" in page


def test_long_runs_are_thinned_and_say_so():
    frames = [result(i, {}) for i in range(12_000)]
    drawn = draw_charts(recorded(frames), 25.0)
    assert all(len(trace["x"]) <= 5000 for chart in drawn for trace in chart.traces)
    assert "of 12,000 frames drawn" in drawn[0].thinned


def test_a_run_without_an_embedder_has_no_charts_of_embeddings():
    drawn = draw_charts(recorded([result(i, {1: (0, 0, 9, 9)}) for i in range(5)]), 25.0)
    assert [chart.key for chart in drawn] == ["timeline", "gantt"]


def test_a_single_frame_is_a_run():
    page = run_page(recorded([result(0, {1: (0, 0, 9, 9)})]), {}, None, PAGE)
    assert "ID 1" in page


def test_a_spark_line_stays_inside_its_box():
    points = [
        tuple(map(float, p.split(","))) for p in build_spark([1.0, 0.2, -0.9, 1.1] * 40).split()
    ]
    assert len(points) <= 60
    xs, ys = np.array(points).T
    assert xs.min() >= 0
    assert xs.max() <= 120
    assert ys.min() >= 0
    assert ys.max() <= 26
    assert build_spark([0.5]) == ""


def test_the_page_asks_nothing_of_any_network(run):
    page = run_page(run, {}, None, PAGE)
    own = page[: page.index("plotly.js v")] + page[page.rindex("'use strict';") :]
    assert not re.findall(r"""(?:src|href)\\s*=\\s*["']?(?:https?:)?//""", own)
    assert "http://" not in own.replace("http://www.w3.org", "")
    assert page.count("plotly.js v") == 1
