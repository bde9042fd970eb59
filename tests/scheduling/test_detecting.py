"""When to detect: by count, or by reasons that are tried one by one."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import SearchConfig
from mot_dinov3.scheduling.detecting import (
    AT_EDGE,
    CHANGED,
    MOST_S,
    RETURNING,
    TOUCHING,
    UNSURE,
    EveryNth,
    Evidence,
    WhenItPays,
    count_least_frames,
    create_detection_policy,
    find_at_edge,
    find_touching,
)
from mot_dinov3.values import CONFIRMED, LOST, SEARCHED, TENTATIVE, Tracks

SIZE = (640, 480)
MOST = 20


def place(x, y=200.0):
    return (x, y, x + 40, y + 80)


APART = [place(100), place(300), place(500)]


def tracks(*places, state=CONFIRMED, ids=None, seen=True):
    n = len(places)
    return Tracks(
        id=np.arange(1, n + 1) if ids is None else np.array(ids),
        xyxy=np.array(places, np.float32).reshape(-1, 4),
        score=np.ones(n, np.float32),
        class_id=np.zeros(n, np.int64),
        state=np.broadcast_to(np.array(state, np.int8), n).copy(),
        fresh=np.zeros(n, np.bool_),
        detection=np.where(np.broadcast_to(seen, n), np.arange(n), -1),
    )


def evidence(known=None, unsure=(), **more):
    known = tracks(*APART) if known is None else known
    return Evidence(known, np.isin(known.id, unsure), SIZE, **more)


def ask(policy, seen):
    wants = policy.decide(seen)
    policy.settle(wants)
    return wants


def detected(most=MOST, known=None):
    """The policy in the first frame after a detection, of which `known` was the result."""
    policy = WhenItPays(most)
    assert ask(policy, evidence(tracks()))
    assert not ask(policy, evidence(known))
    return policy


def wait(policy, seen, most=200):
    """Frames until it detects, with the same evidence in each."""
    return next(n for n in range(1, most) if ask(policy, seen))


@pytest.mark.parametrize("frames", [2, 3, 7])
def test_every_nth_frame_from_the_first_on(frames):
    policy = create_detection_policy(SearchConfig(det_every=str(frames)))
    wanted = [n for n in range(22) if ask(policy, evidence())]
    assert wanted == list(range(0, 22, frames))
    assert not policy.looks_for_change


def test_a_detection_that_something_else_asked_for_counts():
    policy = EveryNth(3)
    policy.settle(detects=True)
    assert [ask(policy, evidence()) for _ in range(3)] == [False, False, True]
    policy = detected()
    policy.decide(evidence(unsure=[1, 2]))
    policy.settle(detects=True)
    assert wait(policy, evidence()) == MOST


def test_auto_is_the_policy_that_weighs_reasons():
    policy = create_detection_policy(SearchConfig(det_every="auto", det_max=7))
    assert isinstance(policy, WhenItPays)
    assert policy.looks_for_change
    assert [n for n in range(22) if ask(policy, evidence())] == [0, 7, 14, 21]


def test_seconds_count_where_frames_are_few():
    policy = detected()
    assert not policy.decide(evidence(since_s=0.9 * MOST_S))
    assert policy.decide(evidence(since_s=MOST_S))


def test_a_change_of_the_picture_is_reason_enough_and_is_not_forgotten():
    assert CHANGED >= 1
    assert ask(detected(), evidence(changed=True))
    policy = detected()
    assert not ask(policy, evidence(changed=True, least_frames=5))
    assert [ask(policy, evidence(least_frames=5)) for _ in range(3)] == [False, False, True]


def expected_wait(reason):
    """Frames from the second after a detection on until time and a lasting `reason` make 1."""
    return next(n for n in range(2, MOST + 1) if n / MOST + reason >= 1 - 1e-9) - 1


def test_an_unsure_find_is_a_reason_each_track_once():
    assert wait(detected(), evidence(unsure=[2])) == expected_wait(UNSURE)
    assert wait(detected(), evidence(unsure=[1, 2])) == expected_wait(2 * UNSURE)
    assert wait(detected(), evidence(unsure=[1, 2, 3])) == 1
    policy = detected()
    assert not any(ask(policy, evidence(unsure=[1])) for _ in range(3))
    assert ask(policy, evidence(unsure=[2, 3]))


def test_tracks_that_come_to_touch_are_a_reason_but_not_those_that_did_before():
    close = tracks(place(100), place(120), place(500))
    assert wait(detected(), evidence(close)) == expected_wait(2 * TOUCHING)
    assert wait(detected(known=close), evidence(close)) == MOST - 1


def test_a_track_that_comes_to_the_edge_is_a_reason_but_not_one_that_stood_there():
    edge = tracks(place(100), place(300), place(598))
    assert wait(detected(), evidence(edge)) == expected_wait(AT_EDGE)
    assert wait(detected(known=edge), evidence(edge)) == MOST - 1


def test_a_lost_track_may_be_back_soon():
    lost = tracks(*APART, state=[CONFIRMED, CONFIRMED, LOST], seen=[True, True, False])
    assert wait(detected(known=lost), evidence(lost)) == expected_wait(2 * RETURNING)


def test_a_new_track_is_looked_at_once_more_as_soon_as_the_rate_allows():
    newcomer = tracks(*APART, state=[CONFIRMED, CONFIRMED, TENTATIVE], ids=[1, 2, -1])
    policy = WhenItPays(MOST)
    assert ask(policy, evidence(tracks()))
    assert ask(policy, evidence(newcomer))
    assert wait(policy, evidence(newcomer, least_frames=4)) == 4


def test_a_detection_takes_all_reasons_away():
    policy = detected()
    policy.decide(evidence(unsure=[1], changed=False))
    policy.settle(detects=True)
    assert wait(policy, evidence()) == MOST


def test_a_frame_rate_puts_off_what_can_wait_but_not_for_ever():
    policy = detected()
    late = evidence(changed=True, least_frames=6)
    assert wait(policy, late) == 5
    policy = detected(most=8)
    assert wait(policy, evidence(changed=True, least_frames=10**6)) == 7


def test_only_tracks_with_a_place_touch_or_are_at_the_edge():
    near = [place(0), place(20), place(300), place(321)]
    assert find_touching(tracks(*near)) == {1, 2, 3, 4}
    hidden = tracks(*near, state=[LOST, CONFIRMED, SEARCHED, TENTATIVE],
                    seen=[False, True, False, True])  # fmt: skip
    assert find_touching(hidden) == {3, 4}
    assert find_at_edge(hidden, SIZE) == set()
    assert find_at_edge(tracks(*near), SIZE) == {1}
    assert find_touching(tracks(place(0))) == find_touching(tracks()) == set()
    corners = [(300, 2, 340, 80), (300, 400, 340, 472), (300, 100, 340, 470), (590, 100, 628, 180)]
    assert find_at_edge(tracks(*corners), SIZE) == {1, 2, 4}


@pytest.mark.parametrize(
    ("period_ms", "detect_ms", "search_ms", "other_ms", "frames"),
    [
        (0, 50, 5, 5, 1),
        (40, 30, 5, 5, 1),
        (40, 35, 5, 5, 1),
        (20, 35, 5, 5, 3),
        (20, 36, 5, 5, 4),
        (40, 5, 9, 50, 1),
    ],
)
def test_so_many_frames_keep_a_period_on_average(period_ms, detect_ms, search_ms, other_ms, frames):
    found = count_least_frames(period_ms, detect_ms, search_ms, other_ms)
    assert found == frames
    if period_ms and detect_ms > search_ms:
        assert detect_ms + (found - 1) * search_ms + found * other_ms <= found * period_ms


@pytest.mark.parametrize("other_ms", [10.0, 15.0, 500.0])
def test_where_searching_alone_takes_too_long_no_number_is_enough(other_ms):
    assert count_least_frames(20, 35, 10, other_ms) > 10_000
