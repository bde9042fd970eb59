"""How sure a detector usually is."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.tracking.confidence import UsualConfidence


def after(*frames, floor=0.3):
    usual = UsualConfidence(floor)
    for scores in frames:
        usual.observe(np.array(scores, np.float32))
    return usual


def test_the_threshold_is_a_share_of_the_median():
    usual = after([0.79, 0.81, 0.81, 0.81, 0.95])
    assert usual.threshold(1.0) == pytest.approx(0.81, abs=0.011)
    assert usual.threshold(0.7) == pytest.approx(0.7 * 0.81, abs=0.01)


def test_the_floor_stands_below_it():
    usual = after([0.5, 0.5])
    assert usual.threshold(0.1) == 0.3
    assert usual.threshold(0.0) == 0.3


def test_what_is_below_the_floor_does_not_count():
    assert after([0.81] * 3 + [0.1] * 50).threshold(1.0) == pytest.approx(0.81, abs=0.011)
    assert after([0.81] * 3 + [0.1] * 50, floor=0.05).threshold(1.0) < 0.2


def test_before_anything_is_seen_the_floor_stands():
    assert UsualConfidence(0.25).threshold(1.0) == 0.25
    assert after([], []).threshold(1.0) == 0.3


def test_a_full_confidence_is_counted_too():
    assert after([1.0, 1.0]).threshold(1.0) == pytest.approx(0.99)


def test_the_past_is_forgotten_in_seconds_not_at_once():
    usual = after(*[[0.91] * 5] * 150)
    for _ in range(8):
        usual.observe(np.full(5, 0.51, np.float32))
    assert usual.threshold(1.0) == pytest.approx(0.91, abs=0.011)
    for _ in range(60):
        usual.observe(np.full(5, 0.51, np.float32))
    assert usual.threshold(1.0) == pytest.approx(0.51, abs=0.011)
