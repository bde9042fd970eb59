from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import MotionConfig
from mot_dinov3.motion.kalman import (
    BIRTH_POSITION,
    BIRTH_VELOCITY,
    CHI2_95_2DOF,
    REFERENCE_FPS,
    MotionState,
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
    state = MotionState.start(box(xs[0]), CONFIG)
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
    state = MotionState.start(box(100), CONFIG)
    size = 70.0
    p = np.diag(
        [(BIRTH_POSITION * size / 20) ** 2] * 4
        + [(BIRTH_VELOCITY * size * VELOCITY_NOISE) ** 2] * 4
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
    state = MotionState.start(box(100), CONFIG)
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
        state = MotionState.start(box(100), CONFIG)
        state.predict(STEP, MOVING)
        state.update(np.array([0]), box(110), np.array([score], np.float32))
        pulled.append(state.xyxy()[0, 0])
    assert pulled[1] > pulled[0]
