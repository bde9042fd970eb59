"""Properties in CI, and whether broken code would break them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase

from mot_dinov3.io.formats import records
from mot_dinov3.io.formats.mot import MotWriter
from mot_dinov3.lab.selftest import hypotheses
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.properties import runner
from mot_dinov3.lab.selftest.properties.factory import PROPERTIES
from mot_dinov3.lab.selftest.properties.runner import try_examples
from mot_dinov3.scheduling.policies.value import ValuePolicy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler
from mot_dinov3.tracking.track_table import TrackTable
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import LOST, boxes


@pytest.mark.slow
@pytest.mark.parametrize("name", list(PROPERTIES))
def test_a_hundred_examples_break_no_property(name):
    assert try_examples(name, 100, 0) == ""


def test_the_measure_counts_examples(tmp_path, monkeypatch):
    monkeypatch.setattr(hypotheses, "EXAMPLES", 2 * hypotheses.AT_ONCE)
    outcome = hypotheses.measure_properties(
        MeasureContext(program=(), directory=tmp_path, full=True)
    )
    assert not outcome.failures
    assert (outcome.done, outcome.met) == (500, True)


@pytest.fixture
def no_shrinking(monkeypatch):
    """Whether an example is found counts, not the smallest of them, which takes longer."""
    monkeypatch.setattr(runner, "PHASES", (Phase.generate,))


def lose_no_track(self, rows):
    self.misses[rows] += 1


def forget_to_return(self, matches, detections, embeddings):
    usual(self, matches, detections, embeddings)
    self._table.state[matches.track_rows] = LOST


usual = Tracker._update_matched
BREAKS = {
    "boxes-iou": (boxes, "over_union", lambda common, areas: common),
    "boxes-convert": (boxes, "clip", lambda xyxy, width, height: xyxy.copy()),
    "boxes-pairs": (boxes, "_crossing", lambda a, b: (np.zeros(1, int), np.zeros(1, int))),
    "plan": (ValuePolicy, "plan", lambda self, scene: None),
    "tracker": (TrackTable, "mark_missed", lose_no_track),
    "mot-table": (MotWriter, "write", lambda self, index, tracks: None),
    "journal-line": (records, "_read_whole", lambda values, key, *limits, **least: values[key]),
    "journal-cut": (records, "TornRecordError", records.BadRecordError),
}


@pytest.mark.usefixtures("no_shrinking")
@pytest.mark.parametrize("name", BREAKS)
def test_broken_code_breaks_its_property(monkeypatch, name):
    monkeypatch.setattr(*BREAKS[name])
    problem = try_examples(name, 100, 0)
    assert problem
    assert "examples could be invented" not in problem


@pytest.mark.usefixtures("no_shrinking")
def test_a_state_that_is_not_left_is_seen(monkeypatch):
    monkeypatch.setattr(Tracker, "_update_matched", forget_to_return)
    assert "state.see" in try_examples("tracker", 100, 0)


@pytest.mark.usefixtures("no_shrinking")
def test_a_budget_that_is_not_kept_is_seen(monkeypatch):
    init = EmbeddingScheduler.__init__

    def careless(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self.fits = lambda waiting, most: most

    monkeypatch.setattr(EmbeddingScheduler, "__init__", careless)
    assert "budget_allows" in try_examples("budget", 100, 0)


def test_what_a_property_finds_names_the_input(monkeypatch):
    monkeypatch.setattr("mot_dinov3.tracking.tracker.find_births", lambda *_: 1 / 0)
    problem = try_examples("config", 50, 3)
    assert problem.startswith("ZeroDivisionError")
    assert "film=[[]]" in problem
    assert try_examples("config", 50, 3) == problem


def test_every_property_is_there():
    assert len([PROPERTIES.load(name) for name in PROPERTIES]) >= 11


def test_without_hypothesis_it_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr(hypotheses, "find_spec", lambda name: None)
    outcome = hypotheses.measure_properties(MeasureContext(program=(), directory=tmp_path))
    assert outcome.skipped == "hypothesis is not installed"
    assert not outcome.met
