"""Motion model and trajectories of all tracks stay one thing."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.situations import box, motion
from mot_dinov3.tracking.movement import Movement
from mot_dinov3.tracking.track_table import FrameSteps, TrackTable

STEP_S = 1 / 30


def moving(*places, needs_past=True, **settings):
    movement = Movement(motion(**settings), 1.0, needs_past=needs_past)
    movement.initiate(np.array(places, np.float32), np.ones(len(places), np.float32), 0.0)
    return movement


def known(n):
    table = TrackTable()
    whole = np.arange(n)
    table.initiate(whole + 1, np.zeros(n, np.int64), np.ones(n, np.float32), 1, whole)
    return table


def correct(movement, table, *places):
    steps = FrameSteps(STEP_S)
    steps.advance(STEP_S)
    rows, score = np.arange(len(places)), np.ones(len(places), np.float32)
    movement.correct(rows, np.array(places, np.float32), score, table, steps)


def test_trajectories_are_kept_only_where_something_needs_them():
    assert moving(box(0), needs_past=False).trajectory is None
    assert not moving(box(0)).trajectory.anchored
    assert moving(box(0), needs_past=False, re_update=True).trajectory.anchored


@pytest.mark.parametrize("needs_past", [False, True])
def test_the_camera_carries_the_prediction_and_the_past(needs_past):
    movement = moving(box(100), box(300), needs_past=needs_past)
    movement.warp(np.array([[1.0, 0, 7], [0, 1.0, -2]]))
    movement.shift(np.array([3.0, 0.0]))
    np.testing.assert_allclose(movement.model.xyxy()[:, :2], [(110, 98), (310, 98)], atol=1e-3)
    if needs_past:
        assert movement.trajectory.last[:, 0] == pytest.approx([130, 330])


def test_rows_are_dropped_everywhere():
    movement = moving(box(100), box(300))
    movement.keep(np.array([False, True]))
    assert len(movement.model) == len(movement.trajectory) == 1
    assert movement.model.xyxy()[0, 0] == pytest.approx(300)


def test_later_tracks_are_appended_with_their_first_observation():
    movement = moving(box(100))
    movement.initiate(np.array([box(500)], np.float32), np.ones(1, np.float32), 0.5)
    assert movement.trajectory.last[:, 0] == pytest.approx([120, 520])
    assert movement.trajectory.count.tolist() == [1, 1]


def test_what_was_seen_corrects_the_prediction_and_is_remembered():
    movement, table = moving(box(100), box(300)), known(2)
    movement.model.predict(STEP_S, np.zeros(2, bool))
    correct(movement, table, box(110))
    left = movement.model.xyxy()[:, 0]
    assert 103 < left[0] < 110
    assert left[1] == pytest.approx(300)
    assert movement.trajectory.count.tolist() == [2, 1]


def test_after_a_long_absence_motion_begins_anew_where_the_track_is_seen():
    movement, table = moving(box(100), box(300)), known(2)
    table.lost_s[:] = 0.5, 5.0
    movement.model.predict(STEP_S, np.zeros(2, bool))
    correct(movement, table, box(150), box(600))
    left = movement.model.xyxy()[:, 0]
    assert left[1] == pytest.approx(600)
    assert left[0] != pytest.approx(150, abs=0.01)
