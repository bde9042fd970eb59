"""Policies and the scheduler, for any scene."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.lab.selftest.properties.base import holds_for
from mot_dinov3.lab.selftest.properties.scenes import DIM, scenes, unit_rows
from mot_dinov3.scheduling.policies.base import PlanInput
from mot_dinov3.scheduling.policies.factory import POLICIES, create_policy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler, Remembered
from mot_dinov3.values import EmbedPlan, FloatArray, IntArray


def _name_policies() -> list[str]:
    """Every policy, and those that take a number with the least and the most worth searching."""
    out = list(POLICIES)
    for name in POLICIES:
        argument = POLICIES.load(name).argument
        if argument is not None:
            out += [f"{name}:{argument.low:g}", f"{name}:{argument.high:g}"]
    return out


policies = st.sampled_from(_name_policies())


@holds_for(scenes(), policies)
def every_detection_has_one_fate(scene: PlanInput, policy: str) -> None:
    """A plan is a partition, its tracks exist, and nobody too weak is embedded."""
    plan = planned(scene, policy)
    assert len(plan) == len(scene)
    assert ((plan.track >= -1) & (plan.track < len(scene.track_id))).all()
    wanted = np.concatenate((plan.critical, plan.refresh))
    assert scene.eligible[wanted].all()
    assert not np.isnan(plan.worth).any()
    again = planned(scene, policy)
    np.testing.assert_array_equal(plan.critical, again.critical)
    np.testing.assert_array_equal(plan.refresh, again.refresh)


@holds_for(scenes(), policies, st.integers(1, 12), st.booleans(), st.sets(st.integers(0, 40)))
def no_more_is_embedded_than_the_budget_allows(
    scene: PlanInput, policy: str, crops: int, hard: bool, broken: set[int]
) -> None:
    """Counts add up, refreshes keep to the budget, critical work too under a hard one.

    `broken` numbers computed rows whose vector comes out as NaN.
    """
    plan = planned(scene, policy)
    config = SchedulerConfig(budget_crops=crops, hard_budget=hard)
    asked: list[int] = []

    def embed(rows: IntArray) -> FloatArray:
        first = len(asked)
        asked.extend(rows.tolist())
        vectors = unit_rows(len(rows))
        vectors[[place - first for place in broken if first <= place < len(asked)]] = np.nan
        return vectors

    done = EmbeddingScheduler(config).run(plan, embed, Remembered(scene.appearance, scene.known))
    counts = done.counts
    assert sorted(asked) == sorted(np.flatnonzero(done.admitted).tolist())
    assert len(asked) == len(set(asked)) == counts.computed
    assert counts.reused <= len(plan.reuse)
    assert counts.critical + counts.starved == len(plan.critical)
    assert counts.refresh + counts.deferred == len(plan.refresh)
    assert counts.refresh <= max(0, crops - counts.critical)
    assert hard or not counts.starved
    assert not hard or counts.computed <= crops
    found = done.embeddings
    assert len(found) == len(scene)
    assert not (found.fresh & ~done.admitted).any()
    assert not (found.fresh & ~found.valid).any()
    assert np.isfinite(found.vectors).all()
    assert found.vectors.shape[1] in (0, DIM)


def planned(scene: PlanInput, policy: str) -> EmbedPlan:
    """What a fresh policy makes of a scene."""
    return create_policy(SchedulerConfig(embed_policy=policy)).plan(scene)
