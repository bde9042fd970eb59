"""Which settings differ between runs, and how a page calls the runs."""

from __future__ import annotations

import pytest

from helpers.reports import facts_of
from mot_dinov3.outputs.report.differences import build_titles, find_common_name
from mot_dinov3.outputs.report.recorder import RunData


def run(name="walk.mp4", **config):
    return RunData(name, facts=facts_of(config={"source": name, **config}))


def test_runs_of_different_clips_have_their_names():
    assert build_titles([run("a.mp4", conf=0.3), run("b.mp4", conf=0.5)]) == ["A a.mp4", "B b.mp4"]
    assert find_common_name([run("a.mp4"), run("b.mp4")]) == ""


def test_runs_of_one_clip_have_the_settings_that_differ():
    runs = [run(embed_budget_ms=10.0, conf=0.3), run(embed_budget_ms=30.0, conf=0.3)]
    assert build_titles(runs) == ["A --embed-budget-ms 10", "B --embed-budget-ms 30"]
    assert find_common_name(runs) == "walk.mp4"


@pytest.mark.parametrize(
    ("first", "second", "titles"),
    [
        ({"embed_all": True}, {}, ["A --embed-all", "B without --embed-all"]),
        ({"classes": "person"}, {}, ["A --classes person", "B without --classes"]),
        ({"embed_model": "m" * 80}, {"embed_model": "n"}, ["A --embed-model " + "m" * 40 + "...",
                                                           "B --embed-model n"]),
    ],
)  # fmt: skip
def test_a_setting_is_named_as_it_would_be_given(first, second, titles):
    assert build_titles([run(**first), run(**second)]) == titles


def test_two_settings_are_named_and_the_rest_is_counted():
    many = {"conf": 0.5, "embed_budget_ms": 10.0, "imgsz": 640, "low_conf": 0.2}
    assert build_titles([run(**many), run()])[0] == "A --conf 0.5, --embed-budget-ms 10, and 2 more"


def test_runs_that_differ_in_nothing_have_the_names_of_their_files():
    runs = [run(save_jsonl="out/one.jsonl"), run(save_jsonl="out/two.jsonl")]
    assert build_titles(runs) == ["A one.jsonl", "B two.jsonl"]
    assert build_titles([run(), run()]) == ["A walk.mp4", "B walk.mp4"]


def test_two_of_three_runs_may_share_a_clip():
    runs = [run("a.mp4", conf=0.3), run("a.mp4", conf=0.5), run("b.mp4", conf=0.3)]
    assert build_titles(runs) == ["A a.mp4 --conf 0.3", "B a.mp4 --conf 0.5", "C b.mp4 --conf 0.3"]
