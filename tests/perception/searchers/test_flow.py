"""Optical flow follows drawn patches, and says nothing of what is not there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from helpers.patches import GROUND, array, draw, numbers
from mot_dinov3.perception.searchers.flow import (
    GRID,
    INNER,
    LEAST_POINTS,
    MOST_SCALE,
    FlowSearcher,
    fit_similarities,
    follow_points,
    shrink,
    spread_points,
)
from mot_dinov3.values import Frame

ONE, TWO, THREE = (30, 20, 80, 80), (220, 140, 270, 200), (240, 20, 290, 80)


def moved(place, x, y=0.0):
    return (place[0] + x, place[1] + y, place[2] + x, place[3] + y)


def scene(index):
    """Three patches that go three ways; returns the frame and their places."""
    places = {1: moved(ONE, 5 * index, 2 * index), 2: moved(TWO, -4 * index), 3: THREE}
    return draw(index, places), places


def search(searcher, frame, ids, expected):
    return searcher.search(frame, numbers(*ids), array(*expected))


def test_a_patch_is_found_within_a_pixel_over_many_frames():
    searcher, (frame, places) = FlowSearcher(), scene(0)
    searcher.show(frame, numbers(1), array(places[1]))
    box = places[1]
    for index in range(1, 13):
        frame, places = scene(index)
        finds = search(searcher, frame, [1], [box])
        box = finds.xyxy[0]
        assert np.abs(box - places[1]).max() < 1.5
        assert finds.score[0] > 1.5 * searcher.sure


def test_frames_may_be_left_out():
    searcher, (frame, places) = FlowSearcher(), scene(0)
    searcher.show(frame, numbers(1, 2), array(places[1], places[2]))
    frame, places = scene(4)
    finds = search(searcher, frame, [2, 1], [TWO, ONE])
    assert np.abs(finds.xyxy - array(places[2], places[1])).max() < 1.5


def test_a_large_picture_is_made_smaller_and_boxes_stay_those_of_the_source():
    searcher = FlowSearcher()
    large = [Frame(i, i / 25, cv2.resize(scene(i)[0].image, None, fx=4, fy=4)) for i in range(2)]
    searcher.show(large[0], numbers(1), array(ONE) * 4)
    finds = search(searcher, large[1], [1], array(ONE) * 4)
    assert np.abs(finds.xyxy[0] - 4 * array(scene(1)[1][1])[0]).max() < 4


def test_several_targets_at_once_are_found_as_one_by_one():
    together, (frame, places) = FlowSearcher(), scene(0)
    apart = {n: FlowSearcher() for n in places}
    together.show(frame, numbers(*places), array(*places.values()))
    for n, searcher in apart.items():
        searcher.show(frame, numbers(n), array(places[n]))
    for index in range(1, 6):
        frame, expected = scene(index)
        finds = search(together, frame, places, places.values())
        for row, n in enumerate(places):
            alone = search(apart[n], frame, [n], [places[n]])
            np.testing.assert_array_equal(alone.xyxy[0], finds.xyxy[row])
            np.testing.assert_array_equal(alone.score[0], finds.score[row])
        places = expected


def test_targets_of_different_frames_are_found_in_one_call():
    searcher, (frame, _) = FlowSearcher(), scene(0)
    searcher.show(frame, numbers(1), array(ONE))
    frame, places = scene(2)
    searcher.show(frame, numbers(2), array(places[2]))
    frame, places = scene(3)
    finds = search(searcher, frame, [2, 1, 9], [TWO, ONE, THREE])
    assert np.abs(finds.xyxy[:2] - array(places[2], places[1])).max() < 1.5
    assert finds.score[2] == 0, "it was never shown"
    np.testing.assert_array_equal(finds.xyxy[2], THREE)


def test_what_vanishes_is_not_found_and_stays_where_it_was_expected():
    searcher, (frame, _) = FlowSearcher(), scene(0)
    searcher.show(frame, numbers(1, 2), array(ONE, TWO))
    wall = draw(1, {2: TWO}, ground=cv2.GaussianBlur(GROUND, (0, 0), 25))
    finds = search(searcher, wall, [1, 2], [moved(ONE, 3), TWO])
    assert finds.score[0] < searcher.sure < finds.score[1]
    back, places = scene(2)
    finds = search(searcher, back, [1], [ONE])
    assert np.abs(finds.xyxy[0] - places[1]).max() < 1.5, "it goes on from where it was seen"


def fit_one(here, there):
    seen = np.ones((1, len(here)), np.bool_)
    return fit_similarities(here[None], there[None], seen)


def test_a_box_that_grows_is_followed_and_one_that_jumps_in_size_is_held_back():
    box = array((0, 0, 20, 40))
    points = spread_points(box)[0]
    grown = fit_one(points, points * 1.1 + np.float32([5, 0]))
    np.testing.assert_allclose(grown.move(box), [[5, 0, 27, 44]], atol=1e-4)
    jump = replace(grown, turn=grown.turn * 3).move(box)[0]
    assert jump[2] - jump[0] == pytest.approx(20 * MOST_SCALE)
    tiny = grown.move(array((0, 0, 1, 1)))[0]
    assert tiny[2] - tiny[0] == pytest.approx(4)


def test_a_turn_is_told_from_growth_and_most_points_decide():
    points = np.random.default_rng(0).uniform(0, 60, (25, 2)).astype(np.float32)
    angle = np.deg2rad(4)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    there = (points @ turn.T + [3, -8]).astype(np.float32)
    there[:11] = points[:11] + np.float32([-20, 6])  # the background, fewer of the points
    fit = fit_one(points, there)
    assert fit.agreed == 14
    assert np.abs(fit.turn) == pytest.approx(1, abs=1e-3)
    assert np.angle(fit.turn) == pytest.approx(angle, abs=1e-3)


def test_boxes_of_one_call_do_not_bear_on_each_other():
    rng = np.random.default_rng(2)
    here = rng.uniform(0, 80, (6, 25, 2)).astype(np.float32)
    there = here + rng.normal(0, 1, here.shape).astype(np.float32)
    seen = rng.random((6, 25)) < 0.7
    together = fit_similarities(here, there, seen)
    for row in range(6):
        alone = fit_similarities(*(one[row : row + 1] for one in (here, there, seen)))
        assert alone.agreed == together.agreed[row]
        np.testing.assert_allclose(alone.turn[0], together.turn[row])


def test_points_that_do_not_count_or_go_anywhere_agree_on_little():
    points = np.random.default_rng(0).uniform(0, 50, (1, 25, 2)).astype(np.float32)
    assert fit_similarities(points, points, np.zeros((1, 25), np.bool_)).agreed == 0
    chance = np.random.default_rng(1).uniform(0, 500, (2, 40, 2)).astype(np.float32)
    assert fit_one(*chance).agreed < LEAST_POINTS


def test_points_lie_in_the_inner_part_of_a_box():
    points = spread_points(array((10, 20, 110, 60)))[0]
    assert points.shape == (GRID**2, 2)
    half = INNER / 2 * (1 - 1 / GRID)
    assert points.min(axis=0) == pytest.approx([60 - 100 * half, 40 - 40 * half])
    assert points.mean(axis=0) == pytest.approx([60, 40])


def test_pictures_that_no_target_needs_are_dropped():
    searcher = FlowSearcher()
    for index in range(6):
        frame, places = scene(index)
        if index == 0:
            searcher.show(frame, numbers(1, 2), array(places[1], places[2]))
        else:
            search(searcher, frame, [1], [places[1]])
    assert sorted(searcher._pictures) == [0, 5], "the second was last seen in the first picture"
    searcher.forget(numbers(2, 77))
    assert sorted(searcher._pictures) == [5]
    searcher.forget(numbers(1))
    assert not searcher._pictures
    assert not searcher._places


def test_a_forgotten_target_is_not_found_and_a_renewed_searcher_knows_none():
    searcher, (frame, _) = FlowSearcher(), scene(0)
    searcher.show(frame, numbers(1, 2), array(ONE, TWO))
    other = searcher.renew()
    searcher.forget(numbers(1))
    frame, _ = scene(1)
    assert (search(searcher, frame, [1, 2], [ONE, TWO]).score > 0).tolist() == [False, True]
    assert not search(other, frame, [1, 2], [ONE, TWO]).score.any()
    assert type(other) is type(searcher)


def test_boxes_outside_of_the_picture_or_without_area_are_not_found():
    searcher, (frame, _) = FlowSearcher(), scene(0)
    odd = array((-90, -90, -40, -40), (50, 50, 50, 90), (400, 300, 460, 380))
    searcher.show(frame, numbers(1, 2, 3), odd)
    finds = search(searcher, scene(1)[0], [1, 2, 3], odd)
    assert (finds.score < searcher.sure).all()
    assert np.isfinite(finds.xyxy).all()


def test_in_the_frame_that_showed_it_a_target_is_not_searched():
    searcher, (frame, _) = FlowSearcher(), scene(0)
    searcher.show(frame, numbers(1), array(ONE))
    assert search(searcher, frame, [1], [ONE]).score.tolist() == [0]
    assert len(search(searcher, frame, [], [])) == 0


def test_points_count_that_come_home_when_they_are_followed_back():
    frame, _ = scene(0)
    seen, wall = shrink(frame), shrink(draw(1, {}, ground=cv2.GaussianBlur(GROUND, (0, 0), 25)))
    points = spread_points(array(ONE))[0]
    there, good = follow_points(seen, shrink(scene(1)[0]), points, points)
    assert good.mean() > 0.5
    np.testing.assert_allclose((there - points)[good].mean(axis=0), [5, 2], atol=0.3)
    assert follow_points(seen, wall, points, points)[1].mean() < 0.1
    assert len(follow_points(seen, wall, points[:0], points[:0])[1]) == 0
