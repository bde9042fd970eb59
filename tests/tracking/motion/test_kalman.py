from __future__ import annotations

import numpy as np
import pytest

from helpers.situations import motion
from mot_dinov3.config import MotionConfig
from mot_dinov3.tracking.motion.base import CHI2_95_2DOF, REFERENCE_FPS
from mot_dinov3.tracking.motion.kalman import (
    FIRST_POSITION,
    FIRST_VELOCITY,
    KalmanMotion,
    box_size,
)

STEP = 1 / REFERENCE_FPS
MOVING = np.zeros(1, bool)
CONFIG = MotionConfig(
    position_noise=1 / 20,
    velocity_noise=1 / 40,
    measurement_noise=1 / 20,
    noise_by_score=0.25,
    size_basis="mean",
)
VELOCITY_NOISE = CONFIG.velocity_noise


def box(x, y=100.0, width=40.0, height=100.0):
    return np.array([[x, y, x + width, y + height]], np.float32)


def followed(xs, step_s=STEP):
    state = KalmanMotion.start(box(xs[0]), CONFIG)
    for x in xs[1:]:
        state.predict(step_s, MOVING)
        state.update(np.array([0]), box(x), np.array([0.9], np.float32))
    return state


def test_a_steady_motion_is_learned():
    state = followed([100 + 5 * k for k in range(30)])
    state.predict(STEP, MOVING)
    assert state.xyxy()[0, 0] == pytest.approx(100 + 5 * 30, abs=0.5)


def test_the_blocks_are_the_full_kalman_filter():
    """The same numbers as the textbook filter with 8x8 matrices."""
    state = KalmanMotion.start(box(100), CONFIG)
    size = 70.0
    p = np.diag(
        [(FIRST_POSITION * size / 20) ** 2] * 4
        + [(FIRST_VELOCITY * size * VELOCITY_NOISE) ** 2] * 4
    )
    x = np.array([120, 150, 40, 100, 0, 0, 0, 0], float)
    f = np.eye(8) + np.eye(8, k=4)
    h = np.eye(4, 8)
    for k in range(1, 6):
        size = (x[2] + x[3]) / 2
        x, p = (
            f @ x,
            f @ p @ f.T + np.diag([(size / 20) ** 2] * 4 + [(size * VELOCITY_NOISE) ** 2] * 4),
        )
        size = (x[2] + x[3]) / 2
        r = np.eye(4) * 0.35 * (size / 20) ** 2
        gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + r)
        seen = box(100 + 7 * k)
        z = np.array([120 + 7 * k, 150, 40, 100], float)
        x, p = x + gain @ (z - h @ x), (np.eye(8) - gain @ h) @ p
        state.predict(STEP, MOVING)
        state.update(np.array([0]), seen, np.array([0.9], np.float32))
    np.testing.assert_allclose(state.position[0], x[:4], rtol=1e-6)
    np.testing.assert_allclose(state.velocity[0], x[4:], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(state.var_position[0], np.diag(p)[:4], rtol=1e-6)


def test_a_longer_step_moves_further():
    one, three = (
        followed([100 + 5 * k for k in range(30)]),
        followed([100 + 5 * k for k in range(30)]),
    )
    one.predict(STEP, MOVING)
    three.predict(3 * STEP, MOVING)
    assert three.xyxy()[0, 0] - 245 == pytest.approx(3 * (one.xyxy()[0, 0] - 245), abs=0.5)


def test_uncertainty_grows_while_nothing_is_seen():
    state = followed([100 + 5 * k for k in range(10)])
    before = state.gate_distance(box(200), np.array([0]))[0]
    for _ in range(10):
        state.predict(STEP, np.ones(1, bool))
    assert state.var_position[0, 0] > 0
    assert state.gate_distance(box(100 + 5 * 19 + 20), np.array([0]))[0] < before + CHI2_95_2DOF


def test_a_coasting_box_keeps_its_size():
    state = KalmanMotion.start(box(100), CONFIG)
    for k in range(1, 8):
        state.predict(STEP, MOVING)
        state.update(np.array([0]), box(100, width=40 + 8 * k), np.array([0.9], np.float32))
    width = state.position[0, 2]
    for _ in range(10):
        state.predict(STEP, np.ones(1, bool))
    assert state.position[0, 2] == pytest.approx(width)


def test_a_sure_detection_pulls_harder():
    pulled = []
    for score in (0.2, 1.0):
        state = KalmanMotion.start(box(100), CONFIG)
        state.predict(STEP, MOVING)
        state.update(np.array([0]), box(110), np.array([score], np.float32))
        pulled.append(state.xyxy()[0, 0])
    assert pulled[1] > pulled[0]


@pytest.mark.parametrize(
    ("score", "least", "share"),
    [(1.0, 0.25, 0.25), (0.9, 0.25, 0.35), (0.25, 0.25, 1.0), (0.1, 0.25, 1.0), (0.5, 1.0, 1.0)],
)
def test_the_measurement_noise_shrinks_with_confidence_down_to_a_share(score, least, share):
    state = KalmanMotion.start(box(100), motion(noise_by_score=least, size_basis="mean"))
    state.predict(STEP, MOVING)
    var = state.var_position[0, 0]
    noise = share * (70 / 20) ** 2
    state.update(np.array([0]), box(110), np.array([score], np.float32))
    assert state.position[0, 0] == pytest.approx(120 + 10 * var / (var + noise))


@pytest.mark.parametrize(
    ("basis", "sizes"),
    [
        ("mean", [65] * 4),
        ("height", [90] * 4),
        ("root", [60] * 4),
        ("sides", [40, 90, 40, 90]),
    ],
)
def test_a_box_size_is_what_the_basis_says(basis, sizes):
    found = box_size(np.array([[0, 0, 40.0, 90.0]]), basis)
    assert np.broadcast_to(found, (1, 4))[0].tolist() == pytest.approx(sizes)
    state = KalmanMotion.start(box(0, width=40, height=90), motion(size_basis=basis))
    np.testing.assert_allclose(
        np.sqrt(state.var_position[0]), FIRST_POSITION / 20 * np.array(sizes)
    )


@pytest.mark.parametrize("damping", [1.0, 0.9])
def test_an_unseen_box_loses_speed_as_damping_says(damping):
    state = KalmanMotion.start(np.vstack([box(0), box(0)]), motion(damping=damping))
    state.velocity[:, 0] = 8.0
    state.predict(2 * STEP, np.array([True, False]))
    assert state.velocity[:, 0].tolist() == pytest.approx([8 * damping**2, 8])
    assert state.position[:, 0].tolist() == pytest.approx([20 + 16 * damping**2, 20 + 16])


def test_a_camera_motion_carries_places_and_velocities():
    state = KalmanMotion.start(box(100, 50), motion())
    state.velocity[0] = [3, 0, 1, 2]
    quarter = np.array([[0.0, -2, 10], [2, 0, 20]])
    state.warp(quarter)
    assert state.position[0].tolist() == pytest.approx([-2 * 100 + 10, 2 * 120 + 20, 80, 200])
    assert state.velocity[0].tolist() == pytest.approx([0, 6, 2, 4])


def test_a_shift_moves_places_only():
    state = followed([100, 105, 110])
    before = state.select(np.array([0]))
    state.shift(np.array([7.0, -3.0]))
    assert (state.position - before.position)[0].tolist() == pytest.approx([7, -3, 0, 0])
    assert (state.velocity == before.velocity).all()


def test_looking_ahead_moves_nothing():
    state = followed([100 + 5 * k for k in range(30)])
    assert state.ahead(2 * STEP)[0, 0] == pytest.approx(100 + 5 * 31, abs=0.5)
    assert state.xyxy()[0, 0] == pytest.approx(100 + 5 * 29, abs=0.5)
