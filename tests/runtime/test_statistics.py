from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import boxes
from mot_dinov3.runtime.statistics import STAGES, RunStatistics
from mot_dinov3.values import CONFIRMED, LOST, SEARCHED, EmbedCounts, FrameResult, Tracks
from mot_dinov3.values.run_facts import (
    BudgetFacts,
    EmbeddingFacts,
    SearchFacts,
    Spread,
    StageFacts,
)


def add(statistics, stage_ms=None, **embed):
    seen = boxes((0, 0, 5, 5), (9, 9, 20, 20))
    result = FrameResult(0, 0.0, seen, Tracks.empty(), EmbedCounts(**embed))
    stages = stage_ms or {"detect": 1.0}
    statistics.add(result, stages, sum(stages.values()))


def test_nothing_at_all_is_summed_up_too():
    facts = RunStatistics().facts(0.0)
    assert (facts.frames, facts.fps) == (0, 0.0)
    assert facts.latency_ms == Spread(0.0, 0.0, 0.0, 0.0)
    assert tuple(facts.stages) == STAGES
    assert facts.budget == BudgetFacts(0.0)


def test_stages_are_means_over_all_frames_and_shares_of_all_time():
    statistics = RunStatistics()
    add(statistics, {"detect": 6.0, "write": 4.0})
    add(statistics, {"detect": 10.0})
    facts = statistics.facts(0.5)
    assert facts.fps == 4.0
    assert facts.latency_ms.mean == 10.0
    assert facts.stages["detect"].mean_ms == 8.0
    assert facts.stages["detect"].share == 0.8
    assert facts.stages["write"] == StageFacts(2.0, 4.0, 0.2)
    assert facts.stages["read"].mean_ms == 0.0


def test_a_stage_of_its_own_is_kept():
    statistics = RunStatistics()
    add(statistics, {"camera": 2.0})
    assert statistics.facts(1.0).stages["camera"].share == 1.0


def test_searched_boxes_are_those_that_no_detection_shows():
    statistics = RunStatistics()
    add(statistics, {"detect": 5.0})
    assert statistics.facts(1.0).search is None
    for stages, state, rows in (
        ({"detect": 5.0, "search": 0.1}, [CONFIRMED, SEARCHED, LOST], [0, -1, -1]),
        ({"search": 2.0}, [SEARCHED, SEARCHED, LOST], [-1, -1, -1]),
        ({"search": 2.0}, [CONFIRMED, LOST, LOST], [0, -1, -1]),
    ):
        tracks = Tracks(
            np.arange(1, 4), np.zeros((3, 4), np.float32), np.ones(3, np.float32),
            np.zeros(3, np.int64), np.array(state, np.int8), np.zeros(3, bool), np.array(rows),
        )  # fmt: skip
        statistics.add(FrameResult(0, 0.0, boxes(), tracks), stages, 5.0)
    assert statistics.facts(1.0).search == SearchFacts(detected_frames=2, searched_boxes=4)


def test_embeddings_add_up():
    statistics = RunStatistics()
    add(statistics, critical=3, refresh=1, reused=5, deferred=2)
    add(statistics, critical=1, starved=4, nonfinite=1, without_track=1)
    facts = statistics.facts(1.0)
    assert facts.embeddings == EmbeddingFacts(
        computed=5, critical=4, refresh=1, reused=5, deferred=2, starved=4, nonfinite=1,
        without_track=1, per_frame=2.5,
    )  # fmt: skip
    assert facts.detections == 4
    assert statistics.backlog == 4


def test_overshoots_are_told_apart_by_whose_fault_they_are():
    statistics = RunStatistics()
    for embed_ms, critical_ms in (
        (10.0, 2.0),
        (20.0, 0.0),
        (21.0, 5.0),
        (23.0, 19.0),
        (50.0, 48.0),
    ):
        add(statistics, budget_ms=20.0, embed_ms=embed_ms, critical_ms=critical_ms)
    budget = statistics.facts(1.0).budget
    assert budget.ms == 20.0
    assert (budget.frames_over, budget.worst_over_ms) == (3, 30.0)
    assert budget.frames_critical_over == 1
    assert budget.fitted_frames_over_1_1 == 1
    assert budget.used_ms_mean == pytest.approx(24.8)


def test_only_a_budget_in_time_makes_a_run_not_repeatable():
    limited, free = RunStatistics(), RunStatistics()
    add(limited, budget_ms=20.0, embed_ms=5.0)
    add(free, embed_ms=5.0)
    assert limited.facts(1.0).repeatable is False
    assert free.facts(1.0).repeatable is None


def test_without_a_budget_nothing_is_over():
    statistics = RunStatistics()
    add(statistics, embed_ms=500.0, critical_ms=400.0)
    assert statistics.facts(1.0).budget.frames_over == 0


def test_predictions_are_compared_where_something_was_predicted():
    statistics = RunStatistics()
    for embed_ms, predicted_ms in ((10.0, 20.0), (30.0, 20.0), (99.0, 0.0)):
        add(statistics, embed_ms=embed_ms, predicted_ms=predicted_ms)
    budget = statistics.facts(1.0).budget
    assert budget.measured_over_predicted_p50 == 1.0
    assert budget.measured_over_predicted_p95 == pytest.approx(1.45)


def test_the_camera_stands_between_detection_and_embedding_where_there_is_one():
    statistics = RunStatistics()
    add(statistics, {"read": 1.0, "detect": 1.0, "camera": 2.0, "track": 1.0, "wait": 3.0})
    stages = ("read", "detect", "camera", "embed", "track", "draw", "write", "wait")
    assert tuple(statistics.facts(1.0).stages) == stages
