"""A newcomer changes the picture; what is known already, or the camera, says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.patches import GROUND, array, draw
from mot_dinov3.perception.searchers.change import PictureChange
from mot_dinov3.values import Frame

KNOWN, NEW = (40, 60, 88, 140), (200, 80, 248, 160)


def watching(places, *boxes):
    change = PictureChange()
    change.restart(draw(0, places), array(*boxes))
    return change


def moved(place, x):
    return (place[0] + x, place[1], place[2] + x, place[3])


def test_before_anything_was_detected_nothing_has_changed():
    assert not PictureChange().measure(draw(0, {}), array())


def test_a_newcomer_counts_whether_or_not_anything_is_followed():
    assert watching({}).measure(draw(1, {5: NEW}), array())
    assert watching({1: KNOWN}, KNOWN).measure(draw(1, {1: KNOWN, 5: NEW}), array(KNOWN))


def test_the_same_picture_again_is_no_change():
    change = watching({1: KNOWN}, KNOWN)
    assert not change.measure(draw(1, {1: KNOWN}), array(KNOWN))
    noise = np.random.default_rng(0).normal(0, 6, GROUND.shape)
    noisy = np.clip(draw(2, {1: KNOWN}).image + noise, 0, 255).astype(np.uint8)
    assert not change.measure(Frame(2, 0.1, noisy), array(KNOWN))


def test_what_is_followed_may_move():
    there = moved(KNOWN, 60)
    change = watching({1: KNOWN}, KNOWN)
    assert not change.measure(draw(1, {1: there}), array(there))
    assert change.measure(draw(1, {1: there}), array(KNOWN)), "the searcher lost it"


@pytest.mark.parametrize(("side", "counts"), [(8, False), (56, True)])
def test_what_is_much_smaller_than_what_is_known_does_not_count(side, counts):
    spot = (200, 80, 200 + side, 80 + side)
    change = watching({1: KNOWN}, KNOWN)
    assert change.measure(draw(1, {1: KNOWN, 5: spot}), array(KNOWN)) == counts


def test_a_camera_that_moves_or_light_that_changes_says_nothing():
    change = watching({}, KNOWN)
    other = np.clip(GROUND.astype(int) + 60, 0, 255).astype(np.uint8)
    assert not change.measure(Frame(1, 0.1, other), array(KNOWN))
    busy = np.random.default_rng(1).integers(0, 2, (30, 40, 1)).repeat(8, 0).repeat(8, 1) * 255
    busy = np.repeat(busy, 3, axis=2).astype(np.uint8)
    change.restart(Frame(2, 0.1, busy), array(KNOWN))
    assert not change.measure(Frame(3, 0.2, np.roll(busy, 16, axis=1)), array(KNOWN))


def test_after_a_detection_only_what_comes_later_counts():
    change = watching({})
    seen = draw(1, {5: NEW})
    assert change.measure(seen, array())
    change.restart(seen, array())
    assert not change.measure(seen, array())


def test_a_picture_of_another_size_is_not_compared():
    change = watching({})
    assert not change.measure(Frame(1, 0.1, np.full((100, 90, 3), 255, np.uint8)), array())
    tiny = Frame(2, 0.2, np.zeros((3, 5, 3), np.uint8))
    change.restart(tiny, array())
    assert not change.measure(tiny, array((0, 0, 2, 2)))


def test_boxes_beyond_the_border_hide_no_more_than_they_cover():
    away = array((205, -70, 245, -30))
    assert watching({}).measure(draw(1, {5: NEW}), away)
