"""Which pairs the first stage is offered, and which looks are not believed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from helpers.fakes import boxes
from helpers.situations import (
    BLUE,
    CONFIRMED,
    LOST,
    RED,
    association,
    box,
    embedded,
    expected,
    lifecycle,
    matched,
    seen,
)
from mot_dinov3.tracking.appearance_scale import AppearanceScale
from mot_dinov3.tracking.association.candidates import find_duplicates
from mot_dinov3.tracking.association.cascade import CascadeAssociation

WEAK = 0.15


def test_a_second_box_on_an_object_is_a_duplicate_and_the_better_one_is_not():
    rows = (*box(100), 0.6), (*box(110), 0.9), (*box(300), 0.3), (*box(112), 0.9)
    assert find_duplicates(boxes(*rows)).tolist() == [True, False, False, True]


def test_objects_of_two_classes_are_no_duplicates():
    rows = (*box(100), 0.6, 0), (*box(102), 0.9, 1)
    assert find_duplicates(boxes(*rows)).tolist() == [False, False]


@pytest.mark.parametrize(("lost_s", "place"), [(0.3, 150), (5.0, 160)])
def test_a_detection_without_confidence_wakes_no_lost_track_by_its_looks(lost_s, place):
    view = expected(box(100), looks=[RED], state=LOST, lost_s=lost_s)
    assert matched(view, (*box(place), 0.9), looks=[RED]) == {0: 0}
    assert matched(view, (*box(place), WEAK), looks=[RED]) == {}


@pytest.mark.parametrize("lost_s", [0.3, 5.0])
def test_a_second_box_on_a_seen_person_wakes_nobody_who_looks_alike(lost_s):
    reddish, config = [0.9, 0.43, 0, 0], association(worst_cost=0.8, match_iou=0.2)
    view = expected(
        box(100), box(170), looks=[RED, reddish], state=[CONFIRMED, LOST], lost_s=[0.0, lost_s]
    )
    rows = (*box(100), 0.9), (*box(112), 0.8)
    assert matched(view, *rows, looks=[RED, RED], config=config) == {0: 0}
    alone = (*box(100), 0.9), (*box(150), 0.8)
    assert matched(view, *alone, looks=[RED, RED], config=config) == {0: 0, 1: 1}


def test_a_weak_detection_is_strong_for_the_track_that_it_looks_like_alone():
    config = association(low_match_iou=1.0)
    view = expected(box(100), looks=[RED])
    assert matched(view, (*box(110), WEAK), looks=[RED], config=config) == {0: 0}
    assert matched(view, (*box(110), WEAK), looks=[BLUE], config=config) == {}


def test_where_an_embedder_cannot_tell_place_decides():
    blind = AppearanceScale(gate=math.inf, trust=0.0, trust_old=0.0)
    sure = expected(box(100), looks=[RED])
    unsure = expected(box(100), looks=[RED], scale=blind)
    config = association(worst_cost=0.8, appearance_weight=0.9)
    assert matched(sure, box(110), looks=[BLUE], config=config) == {}
    assert matched(unsure, box(110), looks=[BLUE], config=config) == {0: 0}


def test_no_track_returns_before_the_embedder_is_known():
    waiting = AppearanceScale(gate=math.inf)
    view = expected(box(100), looks=[RED], state=LOST, lost_s=5.0, scale=waiting)
    assert matched(view, box(150), looks=[RED]) == {}
    scene = seen(view, box(150))
    cascade = CascadeAssociation(association(), lifecycle())
    row = np.zeros(1, np.int64)
    assert not cascade.may_return(scene, view, row, row).any()  # nothing is bought for it either
    assert not cascade.associate(scene, embedded([RED]), view).track_rows.size
