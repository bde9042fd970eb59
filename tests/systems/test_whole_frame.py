"""An embedder that looks at the whole picture: one pass, one price, all detections or none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.fakes import FakeClock, FakeEmbedder, FakeEmbedding, ScriptedDetector
from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.scheduling.planning import include_all_able
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler, Remembered
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.values import EmbedPlan, Reason

PASS_MS = 12.0


def plan_of(critical=0, refresh=0, reuse=0, weak=0):
    """Rows in that order; the weak ones are reused for want of confidence."""
    n = critical + refresh + reuse + weak
    rows = np.arange(n)
    reason = np.full(n, Reason.STABLE, np.int8)
    reason[n - weak :] = Reason.LOW_SCORE
    due = critical + refresh
    return EmbedPlan(rows[:critical], rows[critical:due], rows[due:], np.full(n, -1), reason)


def run(plan, frames=1, **config):
    clock = FakeClock()
    embed = FakeEmbedding(clock, lambda n: PASS_MS)
    scheduler = EmbeddingScheduler(SchedulerConfig(**config), clock, whole_frame=True)
    scheduler.warm_up(lambda n: embed(np.arange(n)))
    embed.batches.clear()
    nothing = Remembered(np.zeros((0, 4), np.float32), np.zeros(0, np.bool_))
    for _ in range(frames):
        done = scheduler.run(plan, embed, nothing)
    return done, embed, scheduler


@pytest.mark.parametrize(("critical", "refresh"), [(3, 0), (1, 200), (0, 40)])
def test_all_that_is_wanted_comes_from_one_pass(critical, refresh):
    done, embed, _ = run(plan_of(critical, refresh))
    assert embed.batches == [critical + refresh]
    assert (done.counts.critical, done.counts.refresh) == (critical, refresh)
    assert done.counts.embed_ms == pytest.approx(PASS_MS)


def test_what_it_will_cost_does_not_grow_with_the_boxes():
    _, _, scheduler = run(plan_of(2, 300))
    done, _, _ = run(plan_of(2, 300))
    assert scheduler.model.predict_ms(1) == pytest.approx(PASS_MS, rel=0.2)
    assert done.counts.predicted_ms == pytest.approx(PASS_MS, rel=0.2)


@pytest.mark.parametrize(
    ("budget_ms", "passes"), [pytest.param(PASS_MS + 3, 1), pytest.param(PASS_MS - 3, 0)]
)
def test_refreshes_get_a_pass_only_where_one_fits(budget_ms, passes):
    done, embed, _ = run(plan_of(0, 5), budget_ms=budget_ms)
    assert len(embed.batches) == passes
    assert done.counts.deferred == 5 * (1 - passes)


def test_critical_rows_take_refreshes_along_whatever_the_budget():
    done, embed, _ = run(plan_of(1, 5), budget_ms=PASS_MS - 3)
    assert embed.batches == [6]
    assert done.counts.deferred == 0


def test_a_hard_budget_may_starve_everybody():
    done, embed, _ = run(plan_of(1, 5), budget_ms=PASS_MS - 3, hard_budget=True)
    assert embed.batches == []
    assert (done.counts.starved, done.counts.deferred) == (1, 5)


def test_a_budget_of_crops_counts_passes():
    _, embed, _ = run(plan_of(0, 9), frames=3, budget_crops=1)
    assert embed.batches == [9, 9, 9]


def test_nobody_wanted_costs_nothing():
    _, embed, _ = run(plan_of(0, 0, 4))
    assert embed.batches == []


def test_whoever_is_confident_joins_whoever_is_wanted():
    plan = include_all_able(plan_of(1, 1, reuse=2, weak=3))
    assert plan.critical.tolist() == [0]
    assert plan.refresh.tolist() == [1, 2, 3]
    assert plan.reuse.tolist() == [4, 5, 6]


def test_nobody_joins_where_nobody_is_wanted():
    assert include_all_able(plan_of(0, 0, reuse=2)).refresh.tolist() == []


@pytest.mark.parametrize("whole", [True, False])
def test_the_scheduler_hears_what_the_embedder_looks_at(whole):
    embedder = FakeEmbedder(lambda box: np.eye(8)[0])
    embedder.whole_frame = whole
    models = Models(ScriptedDetector([]), embedder)
    assert assemble(TrackConfig(), models).scheduler.whole_frame is whole
    assert not replace(models, embedder=None).whole_frame
