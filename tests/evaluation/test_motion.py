"""Motion models are driven as the tracker drives them, and their misses are told truly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.moving_together import draw_together, make_cell, weights_of
from mot_dinov3.config import MotionConfig
from mot_dinov3.evaluation.motion import HIDDEN_FRAMES, measure_motion, plan_hidden
from mot_dinov3.tracking.motion.kalman import KalmanMotion
from mot_dinov3.tracking.motion.samba import SambaMotion
from mot_dinov3.tracking.motion.samba_network import read_network
from mot_dinov3.values.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh

CONFIG = MotionConfig()


class Oracle(KalmanMotion):
    """Knows every path, and is off by `miss` heights; there is one object, always of one size."""

    path, miss = np.zeros((0, 4)), 0.0

    def __init__(self, config):
        super().__init__(config)
        self.frame = 0

    def predict(self, step_s, coasting):
        self.frame += 1

    def xyxy(self):
        box = xyxy_to_cxcywh(self.path[self.frame : self.frame + 1].astype(np.float32))
        box[:, 0] += self.miss * box[:, 3]
        return cxcywh_to_xyxy(box)


def kalman():
    return KalmanMotion(CONFIG)


def make_oracle(path, miss):
    model = Oracle(CONFIG)
    model.path, model.miss = path, miss
    return model


@pytest.mark.parametrize("miss", [0.0, 0.25])
def test_errors_are_in_box_heights(miss):
    one = draw_together(0, frames=200, objects=1)
    found = measure_motion(lambda: make_oracle(one.truth[:, 0], miss), [one], steady=False)
    for error in (found.ahead, found.back, *found.hidden.values()):
        assert error == pytest.approx(miss, abs=1e-4)
    assert found.iou == pytest.approx(1 if not miss else 1 / 3, abs=1e-3)
    assert found.predictions > 60


def test_every_object_is_hidden_again_and_again_and_always_alike():
    one = draw_together(0, frames=600, objects=8)
    hidden = plan_hidden(one)
    np.testing.assert_array_equal(hidden, plan_hidden(one))
    assert 0.2 < hidden.mean() < 0.5
    starts = (np.diff(hidden.astype(int), axis=0) == 1).sum(axis=0)
    assert (starts >= 5).all()
    assert (hidden != plan_hidden(replace(one, name="other"))).any()


def test_the_longer_hidden_the_larger_the_error_and_a_shared_shift_helps():
    sequences = [draw_together(seed, frames=300, objects=12) for seed in range(2)]
    steady, alone = (measure_motion(kalman, sequences, steady=on) for on in (True, False))
    errors = [alone.ahead, *(alone.hidden[frames] for frames in HIDDEN_FRAMES)]
    assert errors == sorted(errors)
    assert all(steady.hidden[frames] < alone.hidden[frames] for frames in HIDDEN_FRAMES)


def test_a_network_that_learned_nothing_measures_like_the_kalman_filter():
    weights = weights_of(make_cell())
    sequences = [draw_together(0, frames=150)]
    ours = measure_motion(lambda: SambaMotion(CONFIG, trained=read_network(weights)), sequences)
    theirs = measure_motion(kalman, sequences)
    assert replace(ours, ms_per_frame=0) == replace(theirs, ms_per_frame=0)
    assert ours.ms_per_frame > 0


def test_objects_that_come_late_leave_early_or_are_never_seen_are_no_trouble():
    one = draw_together(0, frames=120)
    one.truth[:40, 0], one.truth[60:, 1], one.truth[:, 2] = np.nan, np.nan, np.nan
    seen = one.truth.copy()
    seen[:, 3] = np.nan
    found = measure_motion(kalman, [replace(one, seen=seen)])
    assert np.isfinite(found.ahead)
    nothing = measure_motion(kalman, [replace(one, seen=np.full_like(seen, np.nan))])
    assert nothing.predictions == 0
    assert np.isnan(nothing.iou)
