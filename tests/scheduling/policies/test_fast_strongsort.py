from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import plan_scene
from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.fast_strongsort import FastStrongSortPolicy, shape_similarity
from mot_dinov3.values import Reason


def plan(iou, argument="", **more):
    policy = FastStrongSortPolicy(SchedulerConfig(), argument)
    return policy.plan(plan_scene(iou, np.zeros(np.shape(iou)[1]), **more))


def test_exactly_one_track_needs_no_embedding():
    one = plan([[0.9, 0.0], [0.0, 0.3]])
    assert one.critical.tolist() == []
    assert one.reuse.tolist() == [0, 1]
    assert one.track.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("iou", "more", "reason"),
    [
        pytest.param([[0.9, 0.3]], {}, Reason.CROWDED, id="two tracks"),
        pytest.param([[0.1, 0.0]], {}, Reason.WEAK_IOU, id="no track"),
        pytest.param([[0.9]], {"confirmed": [False]}, Reason.WEAK_IOU, id="not confirmed"),
        pytest.param(np.zeros((1, 0)), {}, Reason.WEAK_IOU, id="nobody yet"),
        pytest.param([[0.9]], {"xyxy": [[0, 0, 90, 40]]}, Reason.WEAK_IOU, id="another shape"),
    ],
)
def test_everything_else_is_risky(iou, more, reason):
    risky = plan(iou, **more)
    assert risky.critical.tolist() == [0]
    assert risky.reason.tolist() == [reason]


def test_the_threshold_is_an_argument():
    assert plan([[0.9, 0.3]], "0.5").critical.tolist() == []
    assert plan([[0.9, 0.05]], "0.04").critical.tolist() == [0]


def test_weak_detections_are_left_out():
    assert plan([[0.9, 0.3]], eligible=[False]).reuse.tolist() == [0]


def test_shapes_are_compared_by_angle():
    box, iou, track = np.array([[0, 0, 40, 80]], np.float32), np.array([[0.9]]), np.array([0])
    assert shape_similarity(box, box, iou, track) == pytest.approx(1.0)
    wide = np.array([[0, 0, 80, 40]], np.float32)
    v = 4 / np.pi**2 * (np.arctan(0.5) - np.arctan(2)) ** 2
    assert shape_similarity(box, wide, iou, track) == pytest.approx(1 - v / (0.1 + v))
