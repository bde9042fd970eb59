from __future__ import annotations

import pytest

from mot_dinov3.data.synthetic.motion import metre_at
from mot_dinov3.data.synthetic.routes import Route


def test_a_walk_takes_as_long_as_pace_and_depth_say():
    route = Route(1.0, (0.2, 0.8), pace_mps=1.5)
    route.go((0.2 + 3 * metre_at(0.8), 0.8))
    assert route.time_s == pytest.approx(1.0 + 3 / 1.5)
    (leg,) = route.trip().legs
    assert leg.pace_mps == pytest.approx(1.5)


def test_who_is_early_waits_and_who_is_late_hurries():
    early = Route(0.0, (0.2, 0.8), 1.5).arrive((0.3, 0.8), 60.0).trip()
    waiting, walking = early.legs
    assert (waiting.pace_mps, walking.pace_mps) == (0.0, pytest.approx(1.5))
    assert walking.end_s == pytest.approx(60.0)
    late = Route(0.0, (0.2, 0.8), 1.5).arrive((0.9, 0.8), 1.0)
    assert late.time_s == pytest.approx(1.0)
    assert late.trip().legs[0].pace_mps > 1.5


def test_legs_follow_one_another_and_a_way_to_the_same_place_takes_no_time():
    route = Route(0.0, (0.2, 0.8), 1.5).wait(1.0).go((0.2, 0.8)).go((0.4, 0.8)).wait(0.0)
    first, second = route.trip().legs
    assert (first.end_s, first.end) == (second.start_s, second.start)
    assert route.time_s == second.end_s


def test_who_vanishes_is_nowhere_until_he_is_back():
    trip = Route(0.0, (0.2, 0.8), 1.5).wait(1.0).vanish((1.0, 0.9), 2.0).wait(1.0).trip()
    assert trip.at(0.5) is not None
    assert trip.at(2.0) is None
    back = trip.at(3.5)
    assert (back.x, back.y) == (1.0, 0.9)
