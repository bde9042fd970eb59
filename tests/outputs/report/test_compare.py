"""Runs laid over each other: what differs, and what that changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from helpers.reports import facts_of, recorded, result
from mot_dinov3.outputs.report.compare import build_cells, build_table, compare_page
from mot_dinov3.outputs.report.compare_charts import compute_means, draw_overlays
from mot_dinov3.outputs.report.differences import ComparedCell, find_differences
from mot_dinov3.outputs.report.figures import find_figures
from mot_dinov3.outputs.report.recorder import RunData

pytest.importorskip("jinja2")
pytest.importorskip("plotly")

BOX = (10, 10, 50, 110)


def run(name="run", frames=30, fps=40.0, **config):
    data = recorded([result(i, {1: BOX}) for i in range(frames)])
    data.facts = facts_of(frames=frames, fps=fps, config={"source": "walk.mp4", **config})
    data.name = name
    return data


def test_flags_that_differ_are_listed_and_no_others():
    lines = find_differences([run(embed_all=False, conf=0.3), run(embed_all=True, conf=0.3)])
    assert [(line.name, [cell.text for cell in line.cells]) for line in lines] == [
        ("--embed-all", ["no", "yes"])
    ]


def test_where_results_go_is_no_difference():
    assert (
        find_differences([run(output="a.mp4", save_jsonl="a"), run(output="b.mp4", save_jsonl="b")])
        == []
    )


def test_what_one_run_does_not_say_is_the_default():
    (line,) = find_differences([run(conf=0.5), run()])
    assert [cell.text for cell in line.cells] == ["0.5", "0.3"]
    assert find_differences([run(conf=0.3), run()]) == []


def test_a_run_without_settings_is_not_thought_to_have_defaults():
    bare = RunData("bare")
    (line,) = [one for one in find_differences([run(conf=0.5), bare]) if one.name == "--conf"]
    assert line.cells[1].text == "\N{EN DASH}"


def test_changes_are_in_percent_of_the_first_and_judged_where_that_is_known():
    assert build_cells([100.0, 150.0], 1, ".0f") == (
        ComparedCell("100"),
        ComparedCell("150", "+50.0 %", "down"),
    )
    assert build_cells([100.0, 150.0], -1, ".0f")[1].tone == "up"
    assert build_cells([100.0, 150.0], 0, ".0f")[1].tone == ""
    assert build_cells([100.0, 100.5], -1, ".1f")[1].tone == ""
    assert build_cells([0.0, 5.0], -1, ".0f")[1] == ComparedCell("5")
    assert build_cells([None, 5.0], -1, ".0f")[0].text == "\N{EN DASH}"


def test_figures_lie_side_by_side():
    runs = [run(fps=40.0), run(fps=20.0)]
    rows = {
        line.name: line.cells for line in build_table(runs, [find_figures(one) for one in runs])
    }
    assert rows["frames a second"] == (ComparedCell("40.0"), ComparedCell("20.0", "-50.0 %", "up"))
    assert rows["detect, mean ms"][1] == ComparedCell("20.00", "same")
    assert "embeddings starved" not in rows


def test_a_run_of_figures_alone_has_its_stages_beside_another():
    runs = [run(), RunData("bare", facts=facts_of(stages={"track": {"mean_ms": 2.0}}))]
    rows = {
        line.name: line.cells for line in build_table(runs, [find_figures(one) for one in runs])
    }
    assert [cell.text for cell in rows["detect, mean ms"]] == ["20.00", "\N{EN DASH}"]
    assert [cell.text for cell in rows["track, mean ms"]] == ["\N{EN DASH}", "2.00"]


def test_charts_have_a_colour_for_each_run():
    drawn = draw_overlays([run(), run()], ["A", "B"], ["#111111", "#222222"])
    assert [chart.key for chart in drawn] == ["latency", "embed", "computed", "total", "tracks"]
    for chart in drawn:
        assert {trace["line"]["color"] for trace in chart.traces} == {"#111111", "#222222"}


def test_the_budget_of_each_run_is_seen_beside_its_embeddings():
    from dataclasses import replace

    from mot_dinov3.values import EmbedCounts

    frames = [
        replace(result(i, {1: BOX}), embed=EmbedCounts(embed_ms=2.0, budget_ms=30.0))
        for i in range(30)
    ]
    charts = draw_overlays([recorded(frames), run()], ["A", "B"], ["#111111", "#222222"])
    (chart,) = [chart for chart in charts if chart.key == "embed"]
    (limit,) = [trace for trace in chart.traces if trace["line"].get("dash") == "dash"]
    assert set(limit["y"]) == {30.0}
    assert limit["line"]["color"] == "#111111"
    assert chart.layout["yaxis"]["range"][1] > 30
    assert chart.note.endswith("dashed: the budget.")


def test_runs_of_one_clip_are_told_apart_in_headline_heads_and_charts():
    page = compare_page([run(conf=0.3), run(conf=0.5)], [None] * 2, Path("report.html"))
    assert "<h1>run</h1>" in page
    assert page.count("A --conf 0.3") > 4
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))
    assert {t["name"] for t in data["charts"][0]["traces"]} == {"A --conf 0.3", "B --conf 0.5"}


def test_a_fate_has_one_colour_on_all_pages():
    from mot_dinov3.outputs.report.time_charts import FATES

    runs = [RunData("bare", facts=facts_of()) for _ in range(2)]
    rows = {row.name: row for row in build_table(runs, [find_figures(one) for one in runs])}
    shown = {fate: rows[f"embeddings {fate}"].colour for fate in ("critical", "deferred", "reused")}
    assert shown == {fate: FATES[fate] for fate in shown}


def test_means_of_stretches_skip_what_is_not_known():
    import numpy as np

    column = np.array([1.0, np.nan, 3.0, 5.0] * 100)
    middle, mean = compute_means(np.arange(400.0), column)
    assert len(middle) == len(mean) == 120
    assert all(1 <= value <= 5 for value in mean)


@pytest.mark.parametrize("count", [2, 6])
def test_the_page_shows_every_run(count):
    names = [f"walk{n}.mp4" for n in range(count)]
    page = compare_page([run(name) for name in names], [None] * count, Path("report.html"))
    assert all(name in page for name in names)
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))
    assert len(data["films"]) == count
    assert data["span"] == [0, 29]


def test_runs_of_other_lengths_and_parts_are_compared_as_far_as_known():
    bare = RunData("bare", facts=facts_of())
    page = compare_page([bare, run(frames=7), RunData("empty")], [None] * 3, Path("report.html"))
    assert "Made from the figures alone" in page


def test_lines_and_zones_are_compared_by_name():
    one, two = run(), run()
    zone = {"entered": {"person": 4}, "left": {}, "most": 2, "seconds": {}}
    one.facts = facts_of(lines={"door": {"in": {"person": 2, "car": 1}, "out": {}}})
    two.facts = facts_of(lines={"gate": {"in": {}, "out": {"car": 5}}}, zones={"yard": zone})
    rows = build_table([one, two], [find_figures(one), find_figures(two)])
    found = {row.name: [cell.text for cell in row.cells] for row in rows}
    unknown = "\N{EN DASH}"
    assert found["line door, in"] == ["3", unknown]
    assert found["line gate, out"] == [unknown, "5"]
    assert found["zone yard, entered"] == [unknown, "4"]
