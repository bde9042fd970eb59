from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers.fakes import plan_scene
from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.always import AlwaysPolicy
from mot_dinov3.scheduling.policies.continuity import plan_embeddings
from mot_dinov3.values import Reason

CONFIG = SchedulerConfig(refresh_every=5)


def stable(staleness, **more):
    return plan_scene(np.eye(len(staleness)), staleness, **more)


def test_without_tracks_everything_is_critical():
    plan = plan_embeddings(plan_scene(np.zeros((3, 0)), []), CONFIG)
    assert sorted(plan.critical) == [0, 1, 2]
    assert set(plan.reason) == {Reason.NO_TRACK}
    assert set(plan.track) == {-1}


def test_weak_continuity_is_critical():
    plan = plan_embeddings(plan_scene([[0.9, 0], [0, 0.59]], [0, 0]), CONFIG)
    assert plan.critical.tolist() == [1]
    assert plan.reason[1] == Reason.WEAK_IOU
    assert plan.reuse.tolist() == [0]


def test_the_gate_itself_is_continuity():
    iou = np.full((1, 1), CONFIG.iou_gate, np.float64)
    assert plan_embeddings(plan_scene(iou, [0]), SchedulerConfig(iou_gate=0.5)).reuse.tolist() == [
        0
    ]


def test_a_crowd_is_critical():
    plan = plan_embeddings(stable([0, 0], overlap=[0.21, 0.2]), CONFIG)
    assert plan.critical.tolist() == [0]
    assert plan.reason[0] == Reason.CROWDED


def test_refresh_is_due_after_n_frames():
    plan = plan_embeddings(stable([4, 5, 6]), CONFIG)
    assert plan.reuse.tolist() == [0]
    assert sorted(plan.refresh) == [1, 2]


def test_the_stalest_track_is_refreshed_first():
    assert plan_embeddings(stable([5, 9, 7]), CONFIG).refresh.tolist() == [1, 2, 0]


def test_a_track_without_any_embedding_comes_before_the_stalest():
    plan = plan_embeddings(stable([50, 1, 9], known=[True, False, True]), CONFIG)
    assert plan.refresh.tolist() == [1, 0, 2]


def test_a_poor_crop_is_not_bought_again_in_every_frame_nor_before_older_debts():
    """Its gallery refuses it, so its track stays unknown."""
    unknown = {"known": [False, True, False], "quality": [0.3, 0.9, 0.9]}
    assert plan_embeddings(stable([1, 1, 1], **unknown), CONFIG).refresh.tolist() == [2]
    assert plan_embeddings(stable([6, 9, 0], **unknown), CONFIG).refresh.tolist() == [2, 1, 0]


def test_what_can_neither_start_nor_continue_a_track_is_not_embedded():
    near, far, lost = [0.3], [0.0], [0.0]
    more = {"fertile": [False] * 3, "lost_cost": [[np.inf], [np.inf], [0.4]]}
    plan = plan_embeddings(plan_scene([near, far, lost], [1], **more), CONFIG)
    assert sorted(plan.critical) == [0, 2]
    assert plan.reason[1] == Reason.LOW_SCORE
    assert len(plan_embeddings(plan_scene([near, far, lost], [1]), CONFIG).critical) == 3


def test_two_detections_cannot_continue_one_track():
    plan = plan_embeddings(plan_scene([[0.9], [0.7]], [0]), CONFIG)
    assert plan.track.tolist() == [0, -1]
    assert plan.critical.tolist() == [1]


def test_a_weak_detection_does_not_take_the_track_of_a_confident_one():
    plan = plan_embeddings(plan_scene([[0.7], [0.8]], [0], eligible=[True, False]), CONFIG)
    assert plan.track.tolist() == [0, -1]
    assert plan.reuse.tolist() == [0, 1]


def test_a_weak_detection_is_never_embedded():
    plan = plan_embeddings(stable([9], eligible=[False], overlap=[0.9]), CONFIG)
    assert plan.reuse.tolist() == [0]


def test_always_embeds_every_eligible_detection():
    plan = AlwaysPolicy(CONFIG).plan(stable([0, 0, 0], eligible=[True, False, True]))
    assert plan.critical.tolist() == [0, 2]
    assert plan.reuse.tolist() == [1]


@given(st.data(), st.integers(0, 12), st.integers(0, 12))
def test_every_detection_has_exactly_one_fate(data, n, t):
    unit = st.floats(0, 1, width=32)
    given_scene = plan_scene(
        data.draw(hnp.arrays(np.float32, (n, t), elements=unit)),
        data.draw(hnp.arrays(np.int64, t, elements=st.integers(0, 99))),
        overlap=data.draw(hnp.arrays(np.float32, n, elements=unit)),
        eligible=data.draw(hnp.arrays(np.bool_, n)),
        known=data.draw(hnp.arrays(np.bool_, t)),
    )
    plan = plan_embeddings(given_scene, CONFIG)
    fates = np.concatenate([plan.critical, plan.refresh, plan.reuse])
    assert sorted(fates) == list(range(n))
    claimed = plan.track[plan.track >= 0]
    assert len(set(claimed)) == len(claimed)
    assert (plan.track[plan.refresh] >= 0).all()
