"""Playing and measuring: the figures of a replay, and what cannot be measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.recordings import recording
from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.errors import InputError
from mot_dinov3.lab.recordings.replay import ReplayCase
from mot_dinov3.lab.recordings.study import study
from mot_dinov3.lab.tuning.judge import Judge, case_of
from mot_dinov3.lab.tuning.search import EnoughError

pytest.importorskip("trackeval", reason="the extra [eval] is not installed")


def test_the_verdict_is_what_replay_measures(tmp_path):
    caches = {"one": recording(), "two": recording(content="b" * 64)}
    config = replace(TrackConfig(), scheduler=SchedulerConfig("interval:7"))
    found = Judge(caches, "mota", tmp_path).judge(config)
    points = study(caches, [ReplayCase("interval:7")], TrackConfig(), tmp_path)
    for point in points:
        if point.source in caches and point.case.policy == "interval:7":
            assert found.scores[point.source] == {
                name: point.scores[name] for name in ("hota", "idf1", "assa", "mota")
            }
            assert found.crops[point.source] == point.crops > 0
            assert found.shares[point.source] == pytest.approx(100 * point.share, abs=0.01)


def test_everything_is_a_hundred_percent_and_nothing_none(tmp_path):
    judge = Judge({"one": recording()}, "hota", tmp_path)
    every = replace(TrackConfig(), scheduler=SchedulerConfig(embed_all=True))
    never = replace(TrackConfig(), scheduler=SchedulerConfig("never"))
    assert judge.judge(every).share == 100
    assert judge.judge(never).share == 0
    assert judge.judge(every).mean("idf1") > judge.judge(never).mean("idf1")


def test_without_ground_truth_nothing_is_played(tmp_path):
    with pytest.raises(InputError, match="who is who in dark") as caught:
        Judge({"lit": recording(), "dark": recording(known=False)}, "hota", tmp_path)
    assert "--truth" in caught.value.fix


def test_a_check_stops_between_recordings(tmp_path):
    asked = []

    def check():
        asked.append(1)
        if len(asked) > 1:
            raise EnoughError

    caches = {"one": recording(), "two": recording(content="b" * 64)}
    with pytest.raises(EnoughError):
        Judge(caches, "hota", tmp_path).judge(TrackConfig(), check)
    assert (tmp_path / "one.txt").exists()
    assert not (tmp_path / "two.txt").exists()


def test_a_budget_of_the_start_is_played():
    config = replace(TrackConfig(), scheduler=SchedulerConfig(budget_crops=3))
    assert case_of(config) == ReplayCase("value", 0.0, 3)
    assert case_of(replace(TrackConfig(), scheduler=SchedulerConfig(embed_all=True))).policy == (
        "always"
    )
