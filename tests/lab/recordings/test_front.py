"""What a cloud of points says."""

from __future__ import annotations

import json

import pytest

from helpers.recordings import recording
from mot_dinov3.config import TrackConfig
from mot_dinov3.lab.recordings.front import (
    find_pareto_front,
    group_by_family,
    interpolate_quality,
    recovery,
)
from mot_dinov3.lab.recordings.plot import draw_plots, save_plots, split_into_lines
from mot_dinov3.lab.recordings.replay import ReplayCase
from mot_dinov3.lab.recordings.report import build_document, format_table
from mot_dinov3.lab.recordings.study import COMBINED, Point, file_name, study
from mot_dinov3.outputs.report.charts import INK


def point(policy, share, quality, ms=0.0, **more):
    """A point of one source, without ground truth: quality is agreement."""
    return Point(ReplayCase(policy, **more), "clip", 10, round(100 * share), share, ms, 20 + ms,
                 quality, {})  # fmt: skip


CLOUD = [
    point("never", 0.0, 60.0),
    point("always", 1.0, 100.0, 50.0),
    point("interval:2", 0.5, 90.0, 30.0),
    point("interval:5", 0.2, 80.0, 12.0),
    point("interval:9", 0.1, 55.0, 6.0),
    point("value", 0.2, 95.0, 14.0),
    point("oracle", 0.05, 99.0, 3.0),
]


def test_the_front_is_what_nobody_beats_and_no_oracle():
    front = find_pareto_front(CLOUD, lambda item: item.share)
    assert [item.case.policy for item in front] == ["never", "value", "always"]
    by_time = find_pareto_front(CLOUD, lambda item: item.frame_ms)
    assert [item.case.policy for item in by_time] == ["never", "interval:5", "value", "always"]


def test_of_equal_points_one_is_on_the_front():
    twins = [point("a", 0.1, 70.0), point("b", 0.1, 70.0)]
    assert [item.case.policy for item in find_pareto_front(twins, lambda item: item.share)] == ["a"]


@pytest.mark.parametrize(
    ("share", "quality"),
    [
        pytest.param(0.05, None, id="below the cheapest nothing is guessed"),
        pytest.param(0.1, 55.0, id="at a point"),
        pytest.param(0.15, 67.5, id="between two"),
        pytest.param(0.35, 85.0, id="between others"),
        pytest.param(0.9, 90.0, id="beyond the dearest it stands"),
    ],
)
def test_quality_at_a_share(share, quality):
    assert interpolate_quality(group_by_family(CLOUD)["interval"], share) == quality


def test_a_dearer_and_worse_point_does_not_pull_a_family_down():
    worse = [*group_by_family(CLOUD)["interval"], point("interval:3", 0.35, 50.0)]
    assert interpolate_quality(worse, 0.35) == 85.0


def test_recovery_is_a_share_of_the_gap_where_there_is_one():
    assert recovery(point("a", 0.1, 90.0), 60.0, 100.0) == 75.0
    assert recovery(point("a", 0.1, 59.0), 60.0, 100.0) == -2.5
    assert recovery(point("a", 0.1, 60.2), 60.0, 60.4) is None


def test_lines_join_arguments_or_budgets():
    arguments = group_by_family(CLOUD)["interval"]
    assert [len(line) for line in split_into_lines(arguments)] == [3]
    budgets = [point("value", 0.1, 80.0, budget_ms=ms) for ms in (0.0, 5.0, 10.0)]
    assert [len(line) for line in split_into_lines(budgets)] == [3]
    both = [point(f"interval:{k}", 0.1, 80.0, budget_ms=ms) for k in (1, 2) for ms in (0, 5)]
    assert [len(line) for line in split_into_lines(both)] == [2, 2]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    cases = [ReplayCase("continuity"), ReplayCase("interval:3"), ReplayCase("oracle")]
    caches = {"one": recording(), "two": recording(content="b" * 64)}
    directory = tmp_path_factory.mktemp("mot")
    return study(caches, cases, TrackConfig(), directory), caches, directory


def test_a_study_has_a_point_for_every_case_source_and_all_together(found):
    points, _, directory = found
    assert len(points) == 5 * 3
    assert [item.source for item in points[::5]] == ["one", "two", COMBINED]
    one = {item.case.policy: item for item in points if item.source == "one"}
    both = {item.case.policy: item for item in points if item.source == COMBINED}
    assert one["always"].share == 1
    assert one["always"].agreement == 100
    assert one["never"].share == 0
    assert one["never"].quality < one["oracle"].quality == one["always"].quality
    assert both["interval:3"].crops == 2 * one["interval:3"].crops
    assert both["interval:3"].quality == pytest.approx(one["interval:3"].quality, abs=0.01)
    assert one["always"].frame_ms == pytest.approx(21.5 + 8.0)
    assert (directory / "one" / f"{file_name(ReplayCase('interval:3'))}.txt").is_file()


def test_the_document_is_json_and_says_everything(found):
    points, caches, _ = found
    words = json.loads(json.dumps(build_document(points, caches, [90.0]), allow_nan=False))
    assert set(words["sources"]) == {"one", "two", COMBINED}
    source = words["sources"]["one"]
    assert source["quality"] == "HOTA"
    rows = {row["policy"]: row for row in source["points"]}
    assert rows["never"]["gap_recovery"] == 0
    assert rows["always"]["gap_recovery"] == 100
    assert len(rows["always"]["sha256"]) == 64
    assert source["gap"] == pytest.approx(source["always"] - source["never"], abs=1e-3)
    assert source["at_share"]["interval"]["90"]["quality"] is not None
    assert words["recordings"]["one"]["recipe"]["embedder_weights"] == "w1"


def test_the_table_has_a_row_for_every_point(found):
    points, _, _ = found
    text = format_table(points, [15.0])
    assert text.count("interval:3") == 3
    assert "quality is HOTA" in text
    assert "at a share of crops" in text


def test_there_are_two_plots_for_every_source_and_every_family_in_its_colour(found):
    points, _, _ = found
    charts = draw_plots(points)
    assert [chart.title for chart in charts] == [COMBINED] * 2 + ["two"] * 2 + ["one"] * 2
    share, ms = charts[-2:]
    own = [item for item in points if item.source == "one"]
    for chart, cost in ((share, lambda item: 100 * item.share), (ms, lambda item: item.frame_ms)):
        dots = {t["name"]: t for t in chart.traces if t["mode"] == "markers"}
        assert set(dots) == {item.case.line for item in own}
        assert len({dot["marker"]["color"] for dot in dots.values()}) == len(dots)
        always = next(item for item in own if item.case.policy == "always")
        assert (dots["always"]["x"], dots["always"]["y"]) == ([cost(always)], [always.quality])


def test_the_points_of_the_front_are_ringed_and_its_line_goes_on_to_the_dearest(found):
    points, _, _ = found
    own = [item for item in points if item.source == "one"]
    chart = draw_plots(points)[-2]
    best = find_pareto_front(own, lambda item: item.share)
    ringed = {
        text
        for trace in chart.traces
        if trace["mode"] == "markers"
        for text, ring in zip(trace["text"], trace["marker"]["line"]["color"], strict=True)
        if ring == INK
    }
    assert ringed == {item.case.title for item in best}
    assert chart.traces[0]["x"][-1] == 100 * max(item.share for item in own)


def test_the_page_of_plots_is_whole(found, tmp_path):
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    points, _, _ = found
    save_plots(points, tmp_path / "replay.html")
    page = (tmp_path / "replay.html").read_text()
    assert page.count('class="chart"') == 6
    assert page.rstrip().endswith("</html>")
