from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import plan_scene
from mot_dinov3.config import SchedulerConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.scheduling.policies.interval import IntervalPolicy
from mot_dinov3.values import Reason

CONFIG = SchedulerConfig()


def plan(frame_index, argument="3", **more):
    iou = more.pop("iou", np.eye(2))
    return IntervalPolicy(CONFIG, argument).plan(
        plan_scene(iou, np.zeros(np.shape(iou)[1]), frame_index=frame_index, **more)
    )


def test_every_kth_frame_refreshes_everybody():
    assert [len(plan(index).refresh) for index in range(7)] == [2, 0, 0, 2, 0, 0, 2]
    assert [len(plan(index, "1").refresh) for index in range(3)] == [2, 2, 2]


def test_a_birth_does_not_wait():
    newcomer = plan(1, iou=[[0.9, 0], [0, 0.1]])
    assert newcomer.critical.tolist() == [1]
    assert newcomer.reason.tolist() == [Reason.STABLE, Reason.WEAK_IOU]
    first = plan(1, iou=np.zeros((2, 0)))
    assert first.critical.tolist() == [0, 1]
    assert set(first.reason) == {Reason.NO_TRACK}


def test_weak_detections_are_left_out():
    weak = plan(0, eligible=[True, False])
    assert weak.refresh.tolist() == [0]
    assert weak.reuse.tolist() == [1]
    assert weak.reason[1] == Reason.LOW_SCORE


@pytest.mark.parametrize("word", ["interval:0", "interval:x", "interval:-2"])
def test_an_interval_is_a_number_from_1(word):
    with pytest.raises(UsageError, match=f"--embed-policy {word} needs a number"):
        create_policy(SchedulerConfig(embed_policy=word))
