from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mot_dinov3.data.synthetic.looks import cast_people, cast_vehicles
from mot_dinov3.data.synthetic.motion import (
    FAR_KERB,
    LANES,
    NEAR_BAND,
    Leg,
    Trip,
    metre_at,
    plan_stroll,
    plan_traffic,
    walk,
)

SPAN = (-0.14, 1.92)


def stroll(seed):
    rng = np.random.default_rng(seed)
    look = cast_people(rng, 1)[0]
    return look, plan_stroll(rng, look, 12.0, SPAN)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_nobody_jumps_and_everybody_leaves_before_coming_back(seed):
    look, trip = stroll(seed)
    for before, after in zip(trip.legs, trip.legs[1:], strict=False):
        assert after.start_s >= before.end_s
        if after.start_s == before.end_s:
            assert after.start == before.end
        else:
            assert after.start_s - before.end_s >= 1.5
            for x, _ in (before.end, after.start):
                assert not SPAN[0] <= x <= SPAN[1]
    for leg in trip.legs:
        length = np.hypot(leg.end[0] - leg.start[0], leg.end[1] - leg.start[1])
        fastest = look.pace_mps * metre_at(1.0)
        assert length <= fastest * (leg.end_s - leg.start_s) + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_people_walk_on_pavements_and_cross_the_road_but_leave_the_houses_alone(seed):
    _, trip = stroll(seed)
    feet = [y for leg in trip.legs for _, y in (leg.start, leg.end)]
    assert min(feet) >= 0.37
    assert max(feet) <= NEAR_BAND[1]
    assert all(y < FAR_KERB or y >= NEAR_BAND[0] for y in feet)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 9))
def test_vehicles_of_a_lane_never_touch_and_none_is_in_two_places(seed, count):
    rng = np.random.default_rng(seed)
    looks = cast_vehicles(rng, count)
    trips = plan_traffic(rng, looks, 12.0, SPAN)
    for trip in trips:
        for before, after in zip(trip.legs, trip.legs[1:], strict=False):
            assert after.start_s >= before.end_s
    for time_s in np.arange(0, 12, 0.5):
        for y, _ in LANES:
            here = [(trip.at(time_s), look) for trip, look in zip(trips, looks, strict=True)]
            lane = sorted((p.x, look.length_m) for p, look in here if p and p.y == y)
            for (x, length), (next_x, next_length) in itertools.pairwise(lane):
                assert next_x - x > 0.78 * metre_at(y) * (length + next_length) / 2


def test_without_vehicles_there_is_no_traffic():
    assert plan_traffic(np.random.default_rng(0), [], 12.0, SPAN) == []


def test_a_trip_knows_where_and_where_not():
    trip = Trip((Leg(1.0, 3.0, (0.0, 0.5), (1.0, 0.5), 1.45), Leg(4.0, 5.0, (1, 0.5), (1, 0.9), 1)))
    assert trip.at(0.5) is None
    assert trip.at(3.5) is None
    place = trip.at(2.0)
    assert place is not None
    assert (place.x, place.y, place.heading, place.moving) == (0.5, 0.5, "right", True)
    assert place.turns == pytest.approx(1.0)
    towards_us = trip.at(4.5)
    assert towards_us is not None
    assert towards_us.heading == "near"


def test_walking_far_away_takes_longer_on_the_screen():
    near = walk(0.0, [(0.0, 0.9), (1.0, 0.9)], 1.4)[0]
    far = walk(0.0, [(0.0, 0.4), (1.0, 0.4)], 1.4)[0]
    assert far.end_s > 2 * near.end_s
