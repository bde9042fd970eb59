"""The stages of the cascade: who chooses first, by what, and what each stage refuses."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.situations import (
    BLUE,
    CONFIRMED,
    GREEN,
    LOST,
    RED,
    TENTATIVE,
    association,
    box,
    embedded,
    expected,
    lifecycle,
    matched,
    seen,
    table,
)
from mot_dinov3.tracking.appearance_scale import AppearanceScale
from mot_dinov3.tracking.association.cascade import CascadeAssociation

WEAK = 0.15


def weak(place):
    return (*place, WEAK)


def test_a_match_needs_its_overlap():
    view = expected(box(100))
    for least, found in ((0.3, {0: 0}), (0.7, {})):
        assert matched(view, box(110), config=association(match_iou=least)) == found


def test_a_weak_detection_continues_a_track_in_a_stage_of_its_own():
    view = expected(box(100))
    assert matched(view, weak(box(110))) == {0: 0}
    assert matched(view, weak(box(110)), config=association(low_match_iou=0.7)) == {}
    assert matched(view, weak(box(104)), box(112)) == {1: 0}, "strong ones choose first"


def test_weak_detections_continue_only_whoever_was_there_a_moment_ago():
    for state in (LOST, TENTATIVE):
        view = expected(box(100), state=state, lost_s=0.5 if state == LOST else 0.0)
        assert matched(view, weak(box(100)), config=association(low_window_s=0.1)) == {}
    view = expected(box(100), state=LOST, lost_s=0.05)
    assert matched(view, weak(box(100)), config=association(low_window_s=0.1)) == {0: 0}
    assert matched(view, weak(box(100)), config=association(low_window_s=0.0)) == {}


def test_a_weak_detection_that_was_embedded_chooses_with_the_strong_ones():
    view = expected(box(100), looks=[RED])
    config = association(low_match_iou=1.0)
    assert matched(view, weak(box(110)), config=config) == {}
    assert matched(view, weak(box(110)), looks=[RED], config=config) == {0: 0}


def test_a_hasty_newcomer_is_found_at_a_lower_overlap_in_a_second_try():
    view = expected(box(100))
    outrun = box(125)
    assert matched(view, outrun) == {}
    assert matched(view, outrun, config=association(hasty_iou=0.1)) == {0: 0}
    assert matched(view, outrun, config=association(hasty_iou=0.3)) == {}
    assert matched(view, outrun, box(115), config=association(hasty_iou=0.1)) == {1: 0}


def test_the_hasty_try_is_for_confident_detections_and_recent_tracks():
    config = association(hasty_iou=0.1)
    assert matched(expected(box(100)), weak(box(125)), config=config) == {}
    for state in (LOST, TENTATIVE):
        assert matched(expected(box(100), state=state), box(125), config=config) == {}


def test_tracks_on_probation_choose_after_all_others():
    view = expected(box(100), box(90), state=[TENTATIVE, CONFIRMED])
    assert matched(view, box(100)) == {0: 1}
    assert matched(view, box(100), box(92)) == {0: 0, 1: 1}
    alone = expected(box(100), state=TENTATIVE)
    for least, found in ((0.3, {0: 0}), (0.7, {})):
        config = association(tentative_iou=least, match_iou=1.0)
        assert matched(alone, box(110), config=config) == found


def test_lost_tracks_choose_with_the_recent_ones_unless_those_are_first():
    view = expected(box(100), box(90), state=[LOST, CONFIRMED], lost_s=[0.5, 0])
    assert matched(view, box(100), config=association(recent_first=False)) == {0: 0}
    assert matched(view, box(100), config=association(recent_first=True)) == {0: 1}


def test_being_recent_does_not_overrule_looks():
    """The lost track is recognised; the recent one stands nearly as near and looks different."""
    view = expected(box(100), box(96), state=[LOST, CONFIRMED], lost_s=[0.5, 0], looks=[RED, BLUE])
    config = association(recent_first=True)
    assert matched(view, box(98), looks=[RED], config=config) == {0: 0}
    assert matched(view, box(98), looks=[None], config=config) == {0: 1}


def test_being_recent_counts_where_looks_are_not_known_of_the_recent_track():
    view = expected(box(100), box(96), state=[LOST, CONFIRMED], lost_s=[0.5, 0], looks=[RED, None])
    assert matched(view, box(98), looks=[RED], config=association(recent_first=True)) == {0: 1}


def test_who_was_lost_too_long_is_not_found_by_place():
    view = expected(box(100), state=LOST, lost_s=2.5)
    assert matched(view, box(100), max_lost_s=2.0) == {}
    assert matched(view, box(100), max_lost_s=3.0) == {0: 0}


def test_a_bad_pair_is_not_made_where_leaving_both_alone_is_cheaper():
    """One good pair, or two bad ones that cost less than a good and an open one together."""
    view = expected(box(100), box(126))
    rows = box(100.5), box(74.5)
    assert matched(view, *rows, config=association(match_iou=0.2)) == {0: 1, 1: 0}
    config = association(match_iou=0.2, worst_cost=0.7)
    assert matched(view, *rows, config=config) == {0: 0}


def test_greedy_is_chosen_by_its_flag():
    view = expected(box(100), box(112))
    rows = box(107), box(121)
    optimal = matched(view, *rows, config=association(match_iou=0.4))
    hasty = matched(view, *rows, config=association(match_iou=0.4, no_hungarian=True))
    assert optimal == {0: 0, 1: 1}
    assert hasty == {0: 1}


def test_looks_decide_as_much_as_they_weigh():
    view = expected(box(100), box(110), looks=[RED, BLUE])
    for weight, found in ((0.0, {0: 0, 1: 1}), (0.6, {0: 1, 1: 0})):
        config = association(appearance_weight=weight)
        rows = box(102), box(108)
        assert matched(view, *rows, looks=[BLUE, RED], config=config) == found


def test_adaptive_weight_mistrusts_looks_that_several_share():
    """Both tracks look nearly alike, and so do the detections: place decides after all."""
    nearly_red = [1.0, 0.35, 0, 0]
    view = expected(box(100), box(106), looks=[nearly_red, RED])
    rows = box(102), box(104)
    for adaptive, found in ((False, {0: 1, 1: 0}), (True, {0: 0, 1: 1})):
        config = association(appearance_weight=0.9, adaptive_appearance=adaptive)
        assert matched(view, *rows, looks=[RED, nearly_red], config=config) == found


def test_adaptive_weight_trusts_a_clear_lead():
    view = expected(box(100), box(106), looks=[BLUE, RED])
    config = association(appearance_weight=0.9, adaptive_appearance=True)
    rows = box(102), box(104)
    assert matched(view, *rows, looks=[RED, BLUE], config=config) == {0: 1, 1: 0}


def test_a_familiar_look_makes_up_for_overlap_where_the_motion_allows_it():
    view = expected(box(100), looks=[RED], state=LOST, lost_s=0.3)
    beside = box(150)
    assert matched(view, beside) == {}
    assert matched(view, beside, looks=[RED]) == {0: 0}
    assert matched(view, beside, looks=[BLUE]) == {}
    assert matched(view, box(900), looks=[RED]) == {}
    strict = expected(
        box(100), looks=[RED], state=LOST, lost_s=0.3, scale=AppearanceScale(gate=0.999)
    )
    almost = [1.0, 0.2, 0, 0]
    assert matched(view, beside, looks=[almost]) == {0: 0}
    assert matched(strict, beside, looks=[almost]) == {}


def test_a_familiar_look_finds_whoever_was_there_a_frame_ago_and_jumped():
    view = expected(box(100), looks=[RED])
    assert matched(view, box(150)) == {}
    assert matched(view, box(150), looks=[RED]) == {0: 0}


def test_a_familiar_look_of_another_class_is_a_stranger():
    view = expected(box(100), looks=[RED], state=LOST, lost_s=0.3, class_id=1)
    assert matched(view, (*box(150), 0.9, 0), looks=[RED]) == {}
    assert matched(view, (*box(150), 0.9, 1), looks=[RED]) == {0: 0}


def test_who_was_away_long_returns_by_looks_within_reach_and_window():
    view = expected(box(100), looks=[RED], state=LOST, lost_s=4.0)
    elsewhere = box(400)
    assert matched(view, elsewhere, looks=[RED]) == {0: 0}
    assert matched(view, elsewhere, looks=[None]) == {}
    assert matched(view, elsewhere, looks=[BLUE]) == {}
    assert matched(view, elsewhere, looks=[RED], reid_s=3.0) == {}
    assert matched(view, box(3000), looks=[RED]) == {}
    recent = expected(box(100), looks=[RED], state=CONFIRMED)
    assert matched(recent, box(3000), looks=[RED]) == {}


def test_a_return_is_compared_with_everything_that_is_remembered():
    """Turned round, it looks like one of its older pictures and not like the mean."""
    view = expected(box(100), looks=[RED], state=LOST, lost_s=4.0)
    for _ in range(6):
        view.gallery.add(np.array([0]), np.array([GREEN], np.float32))
    assert matched(view, box(400), looks=[RED]) == {0: 0}


def test_nobody_is_taken_twice_over_the_stages():
    rng = np.random.default_rng(11)
    for _ in range(60):
        n, t = rng.integers(0, 8, 2)
        state = rng.choice([CONFIRMED, LOST, TENTATIVE], t)
        looks = [[RED, BLUE, None][i] for i in rng.integers(0, 3, t)]
        view = expected(
            *(box(x) for x in rng.uniform(0, 150, t)),
            state=state,
            looks=looks,
            lost_s=np.where(state == LOST, 0.4, 0.0),
        )
        rows = [
            (*box(x), s) for x, s in zip(rng.uniform(0, 150, n), rng.uniform(0, 1, n), strict=True)
        ]
        config = association(hasty_iou=0.1, recent_first=True, worst_cost=0.8)
        given = [[RED, BLUE, None][i] for i in rng.integers(0, 3, n)]
        scene = seen(view, *rows, config=config)
        matches = CascadeAssociation(config, lifecycle()).associate(scene, embedded(given, n), view)
        assert sorted([*matches.detection_rows, *matches.unmatched_detections]) == [*range(n)]
        assert sorted([*matches.track_rows, *matches.unmatched_tracks]) == [*range(t)]


def test_the_planner_hears_the_cost_of_what_a_stage_would_take():
    """Recent, lost, tentative and gone tracks in one place; a strong and a weak detection."""
    view = expected(
        *[box(100)] * 4,
        state=[CONFIRMED, LOST, TENTATIVE, LOST],
        lost_s=[0, 0.5, 0, 3.0],
    )
    config = association(match_iou=0.3, hasty_iou=0.1, tentative_iou=0.6, low_match_iou=0.5)
    cascade = CascadeAssociation(config, lifecycle(max_lost_s=2.0))

    def taken(*row):
        scene = seen(view, row, config=config)
        cost = table(scene, cascade.place_cost(scene, view), 4, np.inf)[0]
        assert (cost[np.isfinite(cost)] <= 2).all()
        return np.isfinite(cost).tolist()

    assert taken(*box(106)) == [True, True, True, False]
    assert taken(*box(115)) == [True, True, False, False]
    assert taken(*box(130)) == [True, False, False, False]
    assert taken(*weak(box(106))) == [True, False, False, False]
    assert taken(*weak(box(115))) == [False] * 4


def test_the_planner_hears_of_weak_detections_that_may_be_who_was_lost_a_moment_ago():
    view = expected(box(100), box(100), state=LOST, lost_s=[0.1, 0.5])
    config = association(low_window_s=0.1)
    cost = CascadeAssociation(config, lifecycle()).place_cost(seen(view, weak(box(104))), view)
    assert np.isfinite(cost).tolist() == [True, False]


def test_who_may_return_is_remembered_lost_lately_of_that_class_and_within_reach():
    view = expected(
        *[box(100)] * 4,
        state=LOST,
        lost_s=[4, 4, 12, 4],
        looks=[RED, None, RED, RED],
        class_id=[0, 0, 0, 1],
    )
    cascade = CascadeAssociation(association(), lifecycle(reid_s=10.0))
    scene = seen(view, box(400), weak(box(400)), box(3000))
    found = cascade.may_return(scene, view, np.arange(3), np.array([0, 1, 2, 3]))
    assert found.tolist() == [[True, False, False, False], [False] * 4, [False] * 4]
    some = cascade.may_return(scene, view, np.array([2, 0]), np.array([3, 0]))
    assert some.tolist() == [[False, False], [False, True]]


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_side_is_no_problem(count):
    assert matched(expected(*[box(0)] * count)) == {}
    assert matched(expected(), *[box(0)] * count) == {}
