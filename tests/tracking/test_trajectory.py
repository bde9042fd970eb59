"""Where tracks were really seen, and filters that follow a straight path through an absence."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.situations import motion
from mot_dinov3.tracking.motion.base import REFERENCE_FPS
from mot_dinov3.tracking.motion.kalman import KalmanMotion
from mot_dinov3.tracking.trajectory import RING, Trajectory

STEP = 1 / REFERENCE_FPS
ONE = np.array([0])


def box(x, y=100.0, width=40.0, height=100.0):
    return np.array([[x, y, x + width, y + height]], np.float32)


def begun(x=0.0, **config):
    state = KalmanMotion.start(box(x), motion(**config))
    empty = KalmanMotion(motion(**config))
    trajectory = Trajectory(empty, anchored=True)
    trajectory.extend(1, state)
    trajectory.observe(ONE, box(x), 0.0, state)
    return state, trajectory


def walk(state, trajectory, xs, start_s=0.0):
    for step, x in enumerate(xs, 1):
        state.predict(STEP, np.zeros(1, bool))
        state.update(ONE, box(x), np.array([0.9], np.float32))
        trajectory.observe(ONE, box(x), start_s + step * STEP, state)


def left_edge(boxes):
    return (boxes[:, 0] - boxes[:, 2] / 2).tolist()


def test_earlier_is_the_last_sighting_that_is_old_enough():
    state, trajectory = begun()
    walk(state, trajectory, [10, 20, 30, 40])
    assert left_edge(trajectory.last) == [40]
    for steps, x in ((1, 30), (2, 20), (2.5, 10), (4, 0)):
        where, known = trajectory.earlier(steps * STEP)
        assert (left_edge(where), known.tolist()) == ([x], [True])


def test_who_was_not_seen_that_long_ago_is_not_known():
    state, trajectory = begun()
    assert trajectory.earlier(STEP)[1].tolist() == [False]
    walk(state, trajectory, [10, 20])
    assert trajectory.earlier(2 * STEP)[1].tolist() == [True]
    assert trajectory.earlier(3 * STEP)[1].tolist() == [False]


def test_the_ring_forgets_what_is_older_than_it_holds():
    state, trajectory = begun()
    walk(state, trajectory, [10.0 * k for k in range(1, RING + 5)])
    assert left_edge(trajectory.last) == [10 * (RING + 4)]
    where, known = trajectory.earlier((RING - 1) * STEP)
    assert (left_edge(where), known.tolist()) == ([50], [True])
    assert trajectory.earlier(RING * STEP)[1].tolist() == [False]


def test_a_gap_does_not_count_as_a_sighting():
    state, trajectory = begun()
    walk(state, trajectory, [10, 20])
    walk(state, trajectory, [80], start_s=12 * STEP)
    assert left_edge(trajectory.earlier(STEP)[0]) == [20]


def test_rows_stay_with_their_tracks():
    state = KalmanMotion.start(np.vstack([box(0), box(500)]), motion())
    empty = KalmanMotion(motion())
    trajectory = Trajectory(empty, anchored=True)
    trajectory.extend(2, state)
    trajectory.observe(np.arange(2), np.vstack([box(0), box(500)]), 0.0, state)
    trajectory.observe(np.array([1]), box(510), STEP, state)
    trajectory.keep(np.array([False, True]))
    assert len(trajectory) == len(trajectory.anchor) == 1
    assert left_edge(trajectory.last) == [510]
    assert left_edge(trajectory.earlier(STEP)[0]) == [500]


def test_the_past_moves_with_the_camera():
    state, trajectory = begun()
    walk(state, trajectory, [10, 20])
    trajectory.warp(np.array([[2.0, 0, 7], [0, 2.0, 0]]))
    assert left_edge(trajectory.last) == [2 * 20 + 7]
    assert left_edge(trajectory.earlier(2 * STEP)[0]) == [7]
    assert trajectory.last[0, 2:].tolist() == [80, 200]
    assert trajectory.anchor.position[0, 2] == pytest.approx(80)
    trajectory.shift(np.array([-7.0, 0]))
    assert left_edge(trajectory.last) == [40]


def absent(state, steps):
    for _ in range(steps):
        state.predict(STEP, np.ones(1, bool))


@pytest.mark.parametrize("gap", [25, 40])
def test_a_turn_while_unseen_is_learned_from_the_way_between_two_sightings(gap):
    """It walked right, vanished, and comes back on the left: the plain filter overshoots."""

    def returned(re_update):
        state, trajectory = begun(velocity_noise=1 / 120)
        walk(state, trajectory, [5.0 * k for k in range(1, 21)])
        absent(state, gap + 1)
        back = box(100 - 5.0 * (gap + 1))
        if re_update:
            trajectory.re_update(ONE, back, np.array([gap]), state, STEP)
        state.update(ONE, back, np.array([0.9], np.float32))
        return float(state.velocity[0, 0])

    assert returned(re_update=True) == pytest.approx(-5, abs=0.25)
    assert returned(re_update=False) < -6.3


def test_every_returned_track_follows_its_own_absence():
    """Two at once, away for different times, end as each would alone."""
    alone = []
    for steps in (3, 8):
        state, trajectory = begun()
        walk(state, trajectory, [5.0 * k for k in range(1, 11)])
        absent(state, steps + 1)
        trajectory.re_update(ONE, box(20), np.array([steps]), state, STEP)
        alone.append(state)
    pair, trajectory = begun()
    pair.extend(begun()[0])
    trajectory.extend(1, pair)
    trajectory.observe(np.array([1]), box(0), 0.0, pair)
    both = np.arange(2)
    for k in range(1, 11):
        pair.predict(STEP, np.zeros(2, bool))
        pair.update(both, np.vstack([box(5.0 * k)] * 2), np.full(2, 0.9, np.float32))
        trajectory.observe(both, np.vstack([box(5.0 * k)] * 2), k * STEP, pair)
    trajectory.re_update(both, np.vstack([box(20)] * 2), np.array([3, 8]), pair, STEP)
    for row, state in enumerate(alone):
        np.testing.assert_allclose(pair.velocity[row], state.velocity[0], rtol=1e-9)
        np.testing.assert_allclose(pair.var_position[row], state.var_position[0], rtol=1e-9)
