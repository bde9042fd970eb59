"""What a crop is worth, case by case; nobody waits for ever."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers.fakes import FakeClock, FakeEmbedding, plan_scene
from mot_dinov3.config import SchedulerConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.scheduling.policies.base import POOR_QUALITY
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.scheduling.policies.order import interleave_oldest
from mot_dinov3.scheduling.policies.value import compute_return_cost, plan_by_value
from mot_dinov3.scheduling.policies.worth import Worth
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler, Remembered
from mot_dinov3.values import Reason

WORTH, PRICE = Worth(), 0.5


def plan_of(iou, staleness, price=PRICE, worth=WORTH, **more):
    return plan_by_value(plan_scene(iou, staleness, **more), price, worth)


def alone(staleness, price=PRICE, **more):
    """One detection on each track, far from all others."""
    return plan_of(np.eye(len(staleness)), staleness, price, **more)


def test_what_place_decides_is_reused():
    plan = alone([0, 1, 2])
    assert plan.reuse.tolist() == [0, 1, 2]
    assert plan.track.tolist() == [0, 1, 2]


NEAR = [[0.6, 0.5], [0.5, 0.6]]


def test_two_that_could_change_places_are_critical():
    plan = plan_of(NEAR, [9, 9])
    assert plan.critical.tolist() == [0, 1]
    assert set(plan.reason) == {Reason.AMBIGUOUS}
    assert plan.worth == pytest.approx([1 - 0.2 / WORTH.regret] * 2, abs=0.02)


def test_a_clear_difference_is_not_ambiguous():
    assert plan_of([[0.95, 0.15], [0.15, 0.95]], [3, 3]).reuse.tolist() == [0, 1]


def test_looks_that_cannot_tell_two_apart_are_not_asked():
    twins = np.array([[1, 0], [0.98, 0.2]]) / np.array([[1], [np.hypot(0.98, 0.2)]])
    assert plan_of(NEAR, [3, 3], appearance=twins).reuse.tolist() == [0, 1]
    assert plan_of(NEAR, [3, 3], known=[False, False]).worth.tolist() == [0, 0]


def test_an_ambiguity_that_was_just_settled_is_worth_less():
    fresh, old = plan_of(NEAR, [1, 1]), plan_of(NEAR, [9, 9])
    assert old.worth[0] - fresh.worth[0] == pytest.approx(WORTH.calm, abs=0.05)


def test_rivals_are_embedded_together_or_not_at_all():
    """The third is linked to the two that could change places; the fourth is on its own."""
    chain = [[0.6, 0.55, 0, 0], [0.55, 0.6, 0.2, 0], [0, 0.2, 0.9, 0], [0, 0, 0, 0.9]]
    plan = plan_of(chain, [9, 9, 9, 9], price=0.7)
    assert sorted(plan.critical) == [0, 1, 2]
    assert plan.worth[2] == plan.worth[0] > 0.8
    assert plan.reuse.tolist() == [3]
    eligible = [True, True, False, True]
    assert sorted(plan_of(chain, [9] * 4, price=0.7, eligible=eligible).critical) == [0, 1]


def test_a_return_must_be_able_to_start_a_track_unless_place_brings_it_back():
    assert not len(plan_of(np.zeros((1, 0)), [], fertile=[False], **BACK).critical)
    jumped = {"xyxy": [[30, 10, 70, 90]], "track_xyxy": [[0, 10, 40, 90]]}
    assert not len(plan_of([[0.05]], [3], fertile=[False], **jumped).critical)
    found = {"lost_cost": [[0.2]], "returns": [[True]], "lost_s": [0.03]}
    assert plan_of(np.zeros((1, 0)), [], fertile=[False], **found).critical.tolist() == [0]


BACK = {"lost_cost": [[np.inf]], "returns": [[True]], "lost_s": [0.5]}


def test_a_birth_that_may_be_a_return_is_critical():
    plan = plan_of(np.zeros((1, 0)), [], **BACK)
    assert plan.critical.tolist() == [0]
    assert (plan.reason[0], plan.worth[0], plan.track[0]) == (Reason.RETURN, 1.0, -1)
    assert plan_of(np.zeros((1, 0)), [], **BACK | {"returns": [[False]]}).reuse.tolist() == [0]


def test_who_is_found_by_place_is_a_stranger_until_looked_at():
    found = {"lost_cost": [[0.2]], "returns": [[True]], "lost_s": [0.03]}
    plan = plan_of(np.zeros((1, 0)), [], **found)
    assert (plan.reason[0], plan.worth[0]) == (Reason.RETURN, 1.0)
    assert plan_of(np.zeros((1, 0)), [], lost_known=[False], **found).worth[0] == 0


def test_who_jumped_away_from_a_prediction_may_be_its_track():
    at = [[30, 10, 70, 90]]
    plan = plan_of([[0.05]], [3], xyxy=at, track_xyxy=[[0, 10, 40, 90]])
    assert (plan.reason[0], plan.worth[0], plan.track[0]) == (Reason.RETURN, 1.0, -1)
    assert not len(plan_of([[0.05]], [3], xyxy=at, track_xyxy=[[300, 10, 340, 90]]).critical)


def test_an_embedding_that_looked_like_somebody_else_alarms_the_neighbours():
    boxes = [[0, 0, 40, 90], [60, 0, 100, 90], [500, 0, 540, 90]]
    here = {"xyxy": boxes, "track_xyxy": boxes, "surprise": [0.8, 0, 0]}
    assert plan_of(np.eye(3), [1, 9, 9], **here).critical.tolist() == [0, 1]
    assert not len(plan_of(np.eye(3), [2, 9, 9], **here).critical), "it had its chance"


def test_a_weak_match_beside_a_lost_track_is_ambiguous():
    here = [[10, 10, 50, 90]]
    for far, expected in ((0, Reason.AMBIGUOUS), (400, Reason.DRIFT)):
        plan = plan_of(
            [[0.3]],
            [9],
            price=0.3,
            xyxy=here,
            lost_xyxy=[[10 + far, 10, 50 + far, 90]],
            appearance=[[1, 0]],
            lost_appearance=[[0, 1]],
            **BACK,
        )
        assert plan.reason[0] == expected
        assert plan.track[0] == 0


def test_a_return_costs_by_distance_only_where_it_is_possible():
    scene = plan_scene(
        np.zeros((2, 0)),
        [],
        xyxy=[[0, 0, 40, 40], [0, 0, 40, 40]],
        lost_xyxy=[[20, 0, 60, 40]],
        lost_s=[1.0],
        lost_cost=[[np.inf], [0.4]],
        returns=[[True], [False]],
    )
    expected = [[WORTH.afar + 20 / (40 * (1 + WORTH.spread))], [0.4]]
    assert compute_return_cost(scene, WORTH) == pytest.approx(np.array(expected))


ENROLLED = {
    "gallery_count": [0, 1, 9, 0],
    "known": [False, True, True, False],
    "confirmed": [True, True, True, False],
}


def test_a_confirmed_track_with_a_small_gallery_is_enrolled():
    plan = alone([1, 1, 1, 1], **ENROLLED)
    assert plan.refresh.tolist() == [1]
    assert plan.reason[:2].tolist() == [Reason.ENROL] * 2


def test_the_first_embedding_of_a_confirmed_track_is_critical():
    plan = alone([1, 1, 1, 1], **ENROLLED)
    assert plan.critical.tolist() == [0]
    assert plan.reason[0] == Reason.ENROL
    weak = alone([1, 1, 1, 1], eligible=[False, True, True, True], **ENROLLED)
    assert not len(weak.critical)
    poor = alone([1, 1, 1, 1], quality=[POOR_QUALITY - 0.01, 1, 1, 1], **ENROLLED)
    assert not len(poor.critical), "the gallery would still be empty in the next frame"


def test_tracks_of_one_age_are_not_all_overdue_in_one_frame():
    """They wait as refreshes, which a budget defers, and have one critical place a frame."""
    ages = [WORTH.oldest, WORTH.oldest + 2, WORTH.oldest + 1, WORTH.oldest]
    plan = alone(ages)
    assert plan.critical.tolist() == [1]
    assert sorted(plan.refresh) == [0, 2, 3]
    assert len(alone([WORTH.oldest] * (WORTH.oldest + 1)).critical) == 2, "as many keep the pace"


def test_a_crowd_that_no_budget_admits_is_refreshed_one_by_one():
    n = 12
    config = SchedulerConfig(embed_policy="value", budget_ms=1)
    clock = FakeClock()
    scheduler, policy = EmbeddingScheduler(config, clock), create_policy(config)
    scheduler.warm_up(lambda n: setattr(clock, "now_s", clock.now_s + 0.05 * n))
    known = Remembered(np.eye(n, dtype=np.float32), np.ones(n, np.bool_))
    embed = FakeEmbedding(clock, lambda n: 50.0 * n, dim=n)
    stale, most, longest = np.zeros(n, np.int64), 0, 0
    for frame in range(200):
        stale += 1
        plan = policy.plan(plan_scene(np.eye(n), stale, frame_index=frame))
        done = scheduler.run(plan, embed, known)
        stale[done.admitted] = 0
        most, longest = max(most, done.counts.critical), max(longest, int(stale.max()))
    assert most == 1
    assert longest <= WORTH.oldest + n


def test_a_snapshot_is_taken_before_someone_nearer_covers_the_view():
    boxes = np.array([[0, 0, 40, 90], [10, 5, 50, 95], [500, 0, 540, 90]])
    plan = alone([6, 6, 6], ahead_xyxy=boxes)
    assert plan.refresh.tolist() == [0]
    assert plan.reason[0] == Reason.SNAPSHOT


def test_a_snapshot_is_taken_before_someone_leaves():
    boxes = np.array([[-30, 0, 10, 90], [100, 0, 140, 90]])
    for frame_wh, snapped in (((640, 480), [0]), ((0, 0), [])):
        assert alone([6, 6], ahead_xyxy=boxes, frame_wh=frame_wh).refresh.tolist() == snapped


def test_a_crop_after_a_crossing_is_bought_if_it_is_a_good_one():
    plan = alone([1, 1, 1], disputed=[False, True, True], quality=[0.9, 0.9, POOR_QUALITY - 0.01])
    assert plan.refresh.tolist() == [1]
    assert plan.reason.tolist()[1:] == [Reason.ARBITRATE, Reason.POOR]
    assert not len(plan.critical)


def test_who_changes_fast_is_looked_at_sooner():
    plan = alone([8, 8], drift=[0.0, 0.2])
    assert plan.refresh.tolist() == [1]
    assert plan.reason[1] == Reason.DRIFT
    assert alone([8, 30], drift=[0.2, 0.0]).refresh.tolist() == [1, 0], "best first"


def test_a_crop_that_no_gallery_would_take_is_compared_if_it_must_be_but_never_a_refresh():
    bad = POOR_QUALITY - 0.01
    assert plan_of(NEAR, [9, 9], quality=[bad, 0.9]).critical.tolist() == [0, 1]
    idle = alone([59, 59], quality=[bad, POOR_QUALITY])
    assert idle.refresh.tolist() == [1]
    assert idle.reason[0] == Reason.POOR
    nobody = alone([9, 9], gallery_count=[0, 0], known=[False, False], quality=[bad, 0.9])
    assert nobody.critical.tolist() == [1], "the gallery would still be empty in the next frame"
    assert alone([99, 99], quality=[bad, 0.9]).critical.tolist() == [1]


def test_price_zero_embeds_everything_and_a_higher_price_never_more():
    iou, age = np.eye(6), [0, 3, 9, 20, 40, 70]
    chosen = []
    for price in (0, 0.2, 0.4, 0.6, 0.8, 1.0, 5.0):
        plan = plan_of(iou, age, price)
        chosen.append({*plan.critical.tolist(), *plan.refresh.tolist()})
    assert chosen[0] == set(range(6))
    assert all(more >= less for more, less in pairwise(chosen))
    assert chosen[-1] == {5}, "whoever waited too long is embedded at any price"


def test_without_tracks_and_without_anybody_lost_nothing_is_worth_a_crop():
    assert plan_of(np.zeros((3, 0)), []).reuse.tolist() == [0, 1, 2]
    assert len(plan_of(np.zeros((0, 4)), [1, 2, 3, 4])) == 0


@pytest.mark.parametrize("text", ["x", "-1", "nan", "7"])
def test_a_senseless_price_is_refused(text):
    with pytest.raises(UsageError, match=f"value:{text} needs a number from 0 to 1"):
        create_policy(SchedulerConfig(embed_policy=f"value:{text}"))


@pytest.mark.parametrize(
    ("first", "expected"),
    [(0, [7, 5, 6, 8, 9]), (1, [5, 7, 6, 8, 9]), (3, [5, 6, 8, 7, 9])],
)
def test_every_turn_goes_to_the_oldest(first, expected):
    assert (
        interleave_oldest(np.array([5, 6, 8, 7, 9]), np.array([7, 9]), 4, first).tolist()
        == expected
    )


def test_turns_come_again_and_again():
    order = interleave_oldest(np.arange(12), np.array([11, 10, 9]), 4, 1).tolist()
    assert order == [0, 11, 1, 2, 3, 10, 4, 5, 6, 9, 7, 8]


@given(st.data(), st.integers(0, 9), st.integers(0, 9), st.integers(0, 4))
def test_every_detection_has_exactly_one_fate_and_a_plan_is_repeatable(data, n, t, lost):
    unit = st.floats(0, 1, width=16)

    def some(shape, elements=unit, kind=np.float32):
        return data.draw(hnp.arrays(kind, shape, elements=elements))

    scene = plan_scene(
        some((n, t)),
        some(t, st.integers(0, 99), np.int64),
        eligible=some(n, st.booleans(), np.bool_),
        quality=some(n),
        known=some(t, st.booleans(), np.bool_),
        lost_cost=np.where(some((n, lost), st.booleans(), np.bool_), np.inf, 0.5),
        returns=some((n, lost), st.booleans(), np.bool_),
        lost_s=some(lost, st.floats(0, 9, width=16)),
        lost_appearance=np.zeros((lost, t)),
    )
    price = data.draw(unit)
    plan, again = (plan_by_value(scene, price, WORTH) for _ in range(2))
    fates = np.concatenate([plan.critical, plan.refresh, plan.reuse])
    assert sorted(fates) == list(range(n))
    claimed = plan.track[plan.track >= 0]
    assert len(set(claimed)) == len(claimed)
    assert not scene.eligible[plan.reuse][plan.worth[plan.reuse] >= max(price, 1e-9)].any()
    assert np.isin(plan.critical, np.flatnonzero(scene.eligible)).all()
    for name in ("critical", "refresh", "track", "worth", "reason"):
        np.testing.assert_array_equal(getattr(plan, name), getattr(again, name))


def wait(n_tracks, noisy, budget, frames, seed):
    """Simulate frames in which all tracks are seen; the longest that one had to wait.

    In each frame some other detections, `noisy` of them, are more urgent than any refresh.
    """
    rng = np.random.default_rng(seed)
    config = SchedulerConfig(embed_policy="value", budget_crops=budget, hard_budget=True)
    clock = FakeClock()
    scheduler, policy = EmbeddingScheduler(config, clock), create_policy(config)
    stale, longest = np.zeros(n_tracks, np.int64), 0
    for frame in range(frames):
        stale += 1
        births = int(rng.integers(0, noisy + 1))
        iou = np.vstack((np.eye(n_tracks), np.zeros((births, n_tracks))))
        n = len(iou)
        scene = plan_scene(
            iou,
            stale,
            frame_index=frame,
            lost_cost=np.full((n, 1), np.inf),
            returns=np.arange(n)[:, None] >= n_tracks,
            lost_appearance=np.zeros((1, n_tracks)),
        )
        known = Remembered(np.eye(n_tracks, dtype=np.float32), np.ones(n_tracks, bool))
        embed = FakeEmbedding(clock, lambda n: 1.0, dim=n_tracks)
        done = scheduler.run(policy.plan(scene), embed, known)
        assert done.counts.computed <= budget
        stale[done.admitted[:n_tracks]] = 0
        longest = max(longest, int(stale.max()))
    return longest


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 12), st.integers(0, 9), st.integers(1, 3), st.integers(0, 99))
def test_nobody_waits_longer_than_promised(n_tracks, noisy, budget, seed):
    most = WORTH.oldest + WORTH.turns * n_tracks
    assert wait(n_tracks, noisy, budget, 200, seed) <= most


def test_the_first_slot_goes_to_the_oldest_in_every_fourth_frame_only():
    """With a budget of one crop, whoever is urgent gets the other three."""
    iou = [[0.6, 0.58, 0], [0.58, 0.6, 0], [0, 0, 0.9]]
    first = [int(plan_of(iou, [9, 9, 80], frame_index=k).critical[0]) for k in range(8)]
    assert first == [2, 0, 0, 0, 2, 0, 0, 0]
