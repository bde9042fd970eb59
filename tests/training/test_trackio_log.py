"""Trackio hears of every logged step, and is named where it is not installed."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from helpers.fake_recipe import LineRecipe
from mot_dinov3.commands.train import open_report
from mot_dinov3.errors import ModelError
from mot_dinov3.training import trackio_log
from mot_dinov3.training.engine import StepReport
from mot_dinov3.training.settings import TrainingRun
from mot_dinov3.training.trackio_log import flatten


@pytest.fixture
def told(monkeypatch):
    """What a trackio of the same functions is told."""
    said = []
    fake = ModuleType("trackio")
    fake.init = lambda **named: said.append(("init", named))
    fake.log = lambda values, step: said.append((step, values))
    fake.finish = lambda: said.append("finish")
    monkeypatch.setitem(sys.modules, "trackio", fake)
    monkeypatch.setattr(trackio_log, "find_spec", lambda name: object())
    return said


def test_it_hears_of_every_logged_step(told):
    recipe = LineRecipe()
    with open_report(recipe, TrainingRun(out="runs/first", report="trackio")) as log:
        log(StepReport(1, 9, None))
        log(StepReport(2, 9, {"step": 2, "loss": 0.5, "terms": {"a": 0.25}}))
    (start, named), entry, end = told
    assert (start, named["project"], named["name"]) == ("init", recipe.kind, "first")
    assert named["config"]["steps"] == recipe.steps
    assert entry == (2, {"loss": 0.5, "terms/a": 0.25})
    assert end == "finish"


def test_it_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(trackio_log, "find_spec", lambda name: None)
    with (
        pytest.raises(ModelError, match="trackio"),
        open_report(LineRecipe(), TrainingRun(report="trackio")),
    ):
        pass


def test_nothing_else_is_asked_for_by_default():
    with open_report(LineRecipe(), TrainingRun()) as log:
        log(StepReport(1, 9, {"loss": 1.0}))


def test_words_and_tables_of_an_entry():
    entry = {"step": 3, "seconds": 1.5, "evaluation": {"map": 0.1}, "best": 3, "note": "text"}
    assert flatten(entry) == {"seconds": 1.5, "evaluation/map": 0.1, "best": 3}
