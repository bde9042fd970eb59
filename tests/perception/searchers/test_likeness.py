"""Finds of other colours are not believed, and the search goes on where the object was last."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.moving import texture
from mot_dinov3.perception.searchers.base import Finds
from mot_dinov3.perception.searchers.flow import FlowSearcher
from mot_dinov3.perception.searchers.likeness import LikenessSearcher, measure_colours
from mot_dinov3.values import Frame

IDS = np.array([7], np.int64)
RED, BLUE = [20, 20, 60, 60], [100, 20, 140, 60]


class Told:
    """A searcher that finds every target in one box, and remembers what it was shown."""

    title, fingerprint, sure = "told", "told weights", 0.5

    def __init__(self, box, score=0.9):
        self.box, self.score, self.shown, self.forgotten = box, score, [], []

    def show(self, frame, ids, xyxy):
        self.shown.append((frame.index, xyxy[0].tolist()))

    def search(self, frame, ids, expected):
        n = len(ids)
        boxes = np.tile(np.array(self.box, np.float32), (n, 1))
        return Finds(boxes, np.full(n, self.score, np.float32))

    def forget(self, ids):
        self.forgotten += ids.tolist()

    def renew(self):
        return Told(self.box, self.score)


def frame(index, shade=0):
    image = np.full((80, 160, 3), 128, np.uint8)
    image[20:60, 20:60] = (0, 0, 200 - shade)
    image[20:60, 100:140] = (200, 0, 0)
    return Frame(index, index / 25, image)


def searching(told):
    searcher = LikenessSearcher(told)
    searcher.show(frame(0), IDS, np.array([RED], np.float32))
    return searcher


def search(searcher, index, shade=0, expected=RED):
    return searcher.search(frame(index, shade), IDS, np.array([expected], np.float32))


def test_a_find_of_the_same_colours_is_believed():
    finds = search(searching(Told(RED)), 1)
    assert finds.score.tolist() == pytest.approx([0.9])
    assert finds.xyxy.tolist() == [RED]


def test_a_find_of_other_colours_is_not():
    told = Told(RED)
    searcher = searching(told)
    search(searcher, 1)
    told.box = BLUE
    finds = search(searcher, 2, expected=[22, 20, 62, 60])
    assert finds.score.tolist() == [0]
    assert finds.xyxy.tolist() == [[22, 20, 62, 60]]
    assert told.shown == [(0, RED), (1, RED)]  # the search goes on from the last good picture


def test_what_the_searcher_is_not_sure_of_stays_its_own_affair():
    told = Told(BLUE, score=0.4)
    finds = search(searching(told), 1)
    assert finds.score.tolist() == pytest.approx([0.4])
    assert told.shown == [(0, RED)]


def test_a_find_outside_of_the_picture_has_no_colours():
    assert measure_colours(frame(0), np.array([500, 20, 540, 60], np.float32)).sum() == 0
    assert search(searching(Told([500, 20, 540, 60])), 1).score.tolist() == [0]


def test_colours_have_unit_length():
    colours = measure_colours(frame(0), np.array([10, 10, 90, 70], np.float32))
    assert float(colours @ colours) == pytest.approx(1)


def test_targets_are_forgotten_and_clips_are_apart():
    told = Told(BLUE)
    searcher = searching(told)
    searcher.forget(IDS)
    assert told.forgotten == [7]
    assert search(searcher, 1).score.tolist() == pytest.approx([0.9])  # nothing to compare with
    assert search(searching(told).renew(), 1).score.tolist() == pytest.approx([0.9])
    assert (searcher.title, searcher.fingerprint, searcher.sure) == ("told", "told weights", 0.5)


def leave_ground(searcher):
    """The scores of a box after a flat red plate slid out of it, over a ground with texture."""
    ground = texture(1, 240, 160) // 2 + 60
    box, scores = np.array([[60, 30, 120, 90]], np.float32), []
    for index in range(16):
        image, left = ground.copy(), 90 + 6 * max(0, index - 3)
        image[30:90, left : left + 24] = (20, 20, 220)
        shot = Frame(index, index / 25, image)
        if not index:
            searcher.show(shot, IDS, box)
            continue
        finds = searcher.search(shot, IDS, box)
        scores.append(float(finds.score[0]))
        box = finds.xyxy if scores[-1] >= searcher.sure else box
    return scores[8:]


def test_flow_does_not_stay_with_the_ground():
    assert min(leave_ground(FlowSearcher())) > 0.5  # the control: points of the ground agree
    searcher = LikenessSearcher(FlowSearcher())
    assert max(leave_ground(searcher)) < searcher.sure
