"""What is printed and written: the best first, and a file that gives the same configuration."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from helpers.judges import FakeJudge
from mot_dinov3.commands.flags import resolve
from mot_dinov3.config import AssociationConfig, MotionConfig, SchedulerConfig, TrackConfig
from mot_dinov3.lab.tuning.objective import Objective
from mot_dinov3.lab.tuning.report import (
    as_toml,
    changed,
    comments,
    importance,
    importance_table,
    split_table,
    trial_table,
)
from mot_dinov3.lab.tuning.search import Limits, Search, best_of
from mot_dinov3.lab.tuning.space import Space
from mot_dinov3.lab.tuning.storage import open_study


@pytest.fixture(scope="module")
def found():
    with open_study(None, {}) as study:
        space = Space(TrackConfig(), ["match_iou", "min_hits", "recent_first"])
        search = Search(space, FakeJudge(), Objective(), study)
        search.run(Limits(30), lambda trial: None, lambda: False)
        yield search


def test_the_table_begins_with_the_best(found):
    trials = found.trials()
    lines = trial_table(trials, trials[0], most=4).splitlines()
    best = best_of(trials)
    assert len(lines) == 5
    assert lines[1].split()[:2] == [str(best.number), f"{best.value:.2f}"]
    assert f"match_iou={best.values['match_iou']:g}" in lines[1]
    assert "none: the start" in trial_table(trials[:1], trials[0])


def test_what_matters_is_told_from_what_does_not(found):
    shares = importance(found.study)
    assert set(shares) == {"match_iou", "min_hits", "recent_first"}
    assert shares["recent_first"] < 0.2 < max(shares.values())
    assert "match_iou" in importance_table(shares)
    assert importance_table({}) == ""


def test_few_trials_tell_nothing_of_importance():
    with open_study(None, {}) as study:
        search = Search(Space(TrackConfig(), ["core"]), FakeJudge(), Objective(), study)
        search.run(Limits(3), lambda trial: None, lambda: False)
        assert importance(study) == {}


def test_both_sides_of_the_split_are_shown(found):
    trials = found.trials()
    train = {"start": trials[0].verdict, "best": best_of(trials).verdict}
    lines = split_table(train, {"best": trials[0].verdict}, Objective()).splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == [
        "start, training", "best, training", "best, held out"
    ]  # fmt: skip
    assert "not checked" in "".join(comments(found, best_of(trials), {}, 0))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"embed_policy": "interval:8", "recent_first": True, "steady": False},
        {"tracker": "bytetrack", "match_iou": 0.33},
        {"tracker": "strongsort", "cmc": "none", "min_hits": 5},
        {"embed_budget_crops": 4, "embed_hard_budget": True, "velocity_noise": 1 / 160},
        {"cheap_evidence": "detector", "size_basis": "height"},
    ],
)
def test_the_file_gives_the_same_configuration(given, tmp_path):
    config = resolve(TrackConfig, given, None, {})
    path = tmp_path / "t.toml"
    path.write_text(as_toml(changed(config, {"conf": 0.3}), ["found by a test"]), encoding="utf-8")
    assert resolve(TrackConfig, {}, path, {}) == config
    assert set(tomllib.loads(path.read_text())) == set(given)


def test_confidences_of_the_recording_are_part_of_the_file():
    assert changed(TrackConfig(), {"conf": 0.5, "low_conf": 0.1}) == {"conf": 0.5}
    assert changed(resolve(TrackConfig, {"tracker": "bytetrack"}, None, {}), {"conf": 0.5}) == {
        "tracker": "bytetrack"
    }


def test_a_name_cannot_break_out_of_a_comment():
    text = as_toml({}, ['a\nconf = 0.9 #\x1b[31m "\u2028'])
    assert tomllib.loads(text) == {}
    assert text.count("\n") == 1


def test_only_what_changed_is_written():
    config = replace(
        TrackConfig(),
        association=AssociationConfig(match_iou=0.25),
        motion=MotionConfig(re_update=True),
        scheduler=SchedulerConfig("value:0.7"),
    )
    assert changed(config, {}) == {"embed_policy": "value:0.7", "match_iou": 0.25,
                                   "re_update": True}  # fmt: skip
