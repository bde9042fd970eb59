"""Policies and the scheduler, for any scene: numbers of every size, none of them NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.strategies import DrawFn, SearchStrategy

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.lab.selftest.properties.base import holds_for
from mot_dinov3.scheduling.policies.base import PlanInput
from mot_dinov3.scheduling.policies.factory import POLICIES, create_policy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler, Remembered
from mot_dinov3.values import EmbedPlan, FloatArray, IntArray

DIM = 4
MOST = 6
"""Detections, tracks and lost tracks of a scene."""

shares = st.floats(0, 1, width=32)
pixels = st.floats(-2000, 6000, width=32)


def floats(shape: tuple[int, ...], elements: SearchStrategy[float]) -> SearchStrategy[FloatArray]:
    """float32 arrays of a shape."""
    return hnp.arrays(np.float32, shape, elements=elements)


def flags(shape: tuple[int, ...]) -> SearchStrategy[Any]:
    """Boolean arrays of a shape."""
    return hnp.arrays(np.bool_, shape)


def counts(size: int, most: int = 500) -> SearchStrategy[Any]:
    """int64 arrays of numbers from 0."""
    return hnp.arrays(np.int64, size, elements=st.integers(0, most))


def box_rows(size: int) -> SearchStrategy[FloatArray]:
    """(size, 4) float32 boxes, corners in order."""
    return floats((size, 2, 2), pixels).map(lambda corners: np.sort(corners, axis=1).reshape(-1, 4))


def costs(shape: tuple[int, int]) -> SearchStrategy[FloatArray]:
    """What association charges: a share, or infinity where it refuses."""
    return floats(shape, shares | st.just(np.inf))


def unit_rows(size: int) -> FloatArray:
    """(size, DIM) float32 rows of length 1."""
    out = np.zeros((size, DIM), np.float32)
    out[np.arange(size), np.arange(size) % DIM] = 1
    return out


@st.composite
def scenes(draw: DrawFn) -> PlanInput:
    """Any scene of a few detections, active tracks and lost ones."""
    n, t, m = (draw(st.integers(0, MOST)) for _ in range(3))
    known = draw(flags((t,)))
    looks = unit_rows(t) * known[:, None]
    return PlanInput(
        frame_index=draw(st.integers(0, 1000)),
        frame_wh=draw(st.sampled_from([(0, 0), (640, 480), (1, 1)])),
        xyxy=draw(box_rows(n)),
        score=draw(floats((n,), shares)),
        eligible=draw(flags((n,))),
        fertile=draw(flags((n,))),
        quality=draw(floats((n,), shares)),
        overlap=draw(floats((n,), shares)),
        iou=draw(floats((n, t), shares)),
        cost=draw(costs((n, t))),
        track_id=np.arange(1, t + 1),
        track_xyxy=draw(box_rows(t)),
        ahead_xyxy=draw(box_rows(t)),
        confirmed=draw(flags((t,))),
        hits=draw(counts(t)),
        staleness=draw(counts(t)),
        disputed=draw(flags((t,))),
        known=known,
        gallery_count=draw(counts(t)) * known,
        drift=draw(floats((t,), st.floats(0, 2, width=32))),
        surprise=draw(floats((t,), st.floats(0, 2, width=32))),
        appearance=looks,
        lost_id=np.arange(100, 100 + m),
        lost_xyxy=draw(box_rows(m)),
        lost_known=draw(flags((m,))),
        lost_appearance=unit_rows(m),
        lost_s=draw(floats((m,), st.floats(0, 1000, width=32))),
        lost_cost=draw(costs((n, m))),
        returns=draw(flags((n, m))),
    )


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
    """A plan is a partition, its tracks exist, and no weak detection is embedded."""
    plan = plan_scene(scene, policy)
    assert len(plan) == len(scene)
    assert ((plan.track >= -1) & (plan.track < len(scene.track_id))).all()
    wanted = np.concatenate((plan.critical, plan.refresh))
    assert scene.eligible[wanted].all()
    assert not np.isnan(plan.worth).any()
    again = plan_scene(scene, policy)
    np.testing.assert_array_equal(plan.critical, again.critical)
    np.testing.assert_array_equal(plan.refresh, again.refresh)


@holds_for(scenes(), policies, st.integers(1, 12), st.booleans(), st.sets(st.integers(0, 40)))
def no_more_is_embedded_than_the_budget_allows(
    scene: PlanInput, policy: str, crops: int, hard: bool, broken: set[int]
) -> None:
    """Counts add up, refreshes keep to the budget, critical work too under a hard one.

    `broken` numbers computed rows whose vector comes out as NaN.
    """
    plan = plan_scene(scene, policy)
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


def plan_scene(scene: PlanInput, policy: str) -> EmbedPlan:
    """Plan a scene with a fresh policy."""
    return create_policy(SchedulerConfig(embed_policy=policy)).plan(scene)
