"""The search: repeatable, better than chance, interrupted without loss, and not misled by files."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from statistics import fmean

import numpy as np
import optuna
import pytest

from helpers.judges import PEAK, FakeJudge
from mot_dinov3.config import AssociationConfig, TrackConfig, TrackerConfig
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.lab.tuning.engine import build_distributions
from mot_dinov3.lab.tuning.objective import Objective
from mot_dinov3.lab.tuning.search import Search, SearchLimits, best_of
from mot_dinov3.lab.tuning.space import Space
from mot_dinov3.lab.tuning.storage import open_study

BAD = replace(TrackConfig(), association=AssociationConfig(match_iou=0.02, appearance_weight=0.95),
              tracker=TrackerConfig(min_hits=9))  # fmt: skip


def search(study, judge=None, objective=None, base=BAD):
    return Search(Space(base, list(PEAK)), judge or FakeJudge(), objective or Objective(), study)


def tried(trials, path=None, **more):
    """The trials of a search, and the search itself, closed."""
    seed = more.pop("seed", 0)
    with open_study(path, {"topic": 1}) as study:
        found = search(study, **more)
        found.run(SearchLimits(trials, seed=seed), lambda trial: None, lambda: found.judge.stopped)
        return found.trials()


def test_the_start_comes_first_and_then_the_defaults():
    first, second, *_ = tried(3)
    assert first.values == {"match_iou": 0.02, "min_hits": 9, "appearance_weight": 0.95}
    assert second.values == {"match_iou": 0.2, "min_hits": 2, "appearance_weight": 0.6}
    usual = tried(2, base=TrackConfig())
    assert usual[0].values == second.values != usual[1].values


def test_it_finds_more_than_the_start_and_the_defaults():
    trials = tried(40)
    best = best_of(trials)
    assert best.value > trials[1].value + 2 > trials[0].value
    assert best.value == max(trial.value for trial in trials)


def test_it_finds_more_than_chance_does():
    """The untrained control: as many configurations drawn at random from the same ranges."""
    space, judge = Space(BAD, list(PEAK)), FakeJudge()
    by_chance = []
    for seed in range(5):
        sampler = optuna.samplers.RandomSampler(seed=seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for _ in range(40):
            asked = study.ask(build_distributions(space.settings))
            study.tell(asked, judge.judge(space.apply(asked.params)).mean("hota"))
        by_chance.append(study.best_value)
    searched = [best_of(tried(40, seed=seed)).value for seed in range(5)]
    assert fmean(searched) > fmean(by_chance) + 0.2


def test_the_same_seed_makes_the_same_trials_and_another_does_not():
    assert tried(15) == tried(15)
    assert tried(15) != tried(15, seed=1)


def test_nothing_is_tried_twice_while_little_is_known():
    found = [tuple(trial.values.values()) for trial in tried(12)]
    assert len(set(found)) == 12


def test_values_are_short_enough_to_read():
    for trial in tried(12)[2:]:
        assert all(round(value, 2) == value for value in trial.values.values())
        assert type(trial.values["min_hits"]) is int


def test_what_is_interrupted_goes_on_as_if_it_had_not_been(tmp_path):
    path = tmp_path / "s.db"
    broken = FakeJudge(stop_after=11)
    assert len(tried(13, path, judge=broken)) == 11
    assert tried(13, path) == tried(13)
    again = FakeJudge()
    assert tried(13, path, judge=again) == tried(13)
    assert again.calls == 0


def test_a_trial_of_a_killed_run_is_given_up(tmp_path):
    path = tmp_path / "s.db"
    before = tried(2, path)
    with open_study(path, {"topic": 1}) as study:
        study.ask(build_distributions(Space(BAD, list(PEAK)).settings))
    assert tried(2, path) == before
    with open_study(path, {"topic": 1}) as study:
        states = [trial.state for trial in study.get_trials()]
    assert states.count(optuna.trial.TrialState.FAIL) == 1
    assert len(tried(3, path)) == 3


def test_time_ends_a_search():
    with open_study(None, {}) as study:
        found = search(study)
        whole = found.run(SearchLimits(10**6, timeout_s=0.3), lambda trial: None, lambda: False)
        assert not whole
        assert 0 < len(found.trials()) < 10**6


def test_a_limit_of_crops_beats_a_better_value():
    limit = Objective(max_share=45.0)
    trials = tried(40, objective=limit)
    best = best_of(trials)
    assert best.admitted
    assert best.values["appearance_weight"] <= 0.45
    assert max(trial.verdict.mean("hota") for trial in trials) > best.verdict.mean("hota")


def test_what_keeps_the_limit_comes_before_what_is_better():
    kept, better = tried(3)[1:]
    trials = [replace(kept, value=1.0), replace(better, value=2.0, admitted=False)]
    assert best_of(trials).value == 1.0
    assert best_of(trials[1:]).value == 2.0


def test_a_study_of_another_search_is_refused(tmp_path):
    path = tmp_path / "s.db"
    with open_study(path, {"objective": "hota", "seed": 0}):
        pass
    with pytest.raises(UsageError, match=r"not the same objective\."), \
            open_study(path, {"objective": "idf1", "seed": 0}):  # fmt: skip
        pass


@pytest.mark.parametrize("content", [b"hello, world\n" * 99, b"SQLite format 3\x00" + b"x" * 900])
def test_a_file_that_is_no_study_is_left_alone(tmp_path, content):
    path = tmp_path / "s.db"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a study"), open_study(path, {}):
        pass
    assert path.read_bytes() == content


def test_a_database_of_others_is_refused(tmp_path):
    path = tmp_path / "s.db"
    with sqlite3.connect(path) as database:
        database.execute("create table studies (name text)")
    database.close()
    with pytest.raises(InputError, match="is not a study"), open_study(path, {}):
        pass


def test_equals_are_told_apart_by_their_number():
    trials = tried(10)
    same = [replace(trial, value=1.0) for trial in trials]
    assert best_of(same).number == 0
    order = np.random.default_rng(0).permutation(len(same))
    assert best_of([same[i] for i in order]).number == 0
