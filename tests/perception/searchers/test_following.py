from __future__ import annotations

import numpy as np

from helpers.moving_square import square_sequence
from mot_dinov3.perception.searchers.base import Finds
from mot_dinov3.perception.searchers.flow import FlowSearcher
from mot_dinov3.perception.searchers.following import follow_sequence
from mot_dinov3.perception.searchers.predicted import PredictedPlaces
from mot_dinov3.values.boxes import iou, sides


class Loses:
    """Finds the object one pixel further to the right, but nothing in picture 2."""

    def __init__(self):
        self.shown, self.asked = [], []

    def renew(self):
        return self

    def show(self, frame, ids, xyxy):
        self.shown.append((frame.index, xyxy.copy()))

    def search(self, frame, ids, expected):
        self.asked.append(expected.copy())
        if frame.index == 2:
            return Finds.nothing(expected)
        moved = expected + np.array([1, 0, 1, 0], np.float32)
        return Finds(moved, np.full(1, 0.5, np.float32))


def test_only_the_first_box_is_shown_and_each_search_begins_where_the_last_one_ended():
    searcher, told = Loses(), []
    sequence = square_sequence(5)
    followed = follow_sequence(searcher, sequence, told.append)
    assert len(searcher.shown) == 1
    np.testing.assert_array_equal(followed.xyxy[:, 0] - sequence.boxes[0, 0], [0, 1, 1, 2, 3])
    np.testing.assert_array_equal(np.concatenate(searcher.asked), followed.xyxy[:-1])
    np.testing.assert_array_equal(followed.score, [1, 0.5, 0, 0.5, 0.5])
    assert followed.search_ms[0] == 0
    assert (followed.search_ms[1:] > 0).all()
    assert sum(told) == 5


def test_what_believes_the_expectation_stands_still_and_what_looks_does_not():
    sequence = square_sequence(12)
    still = follow_sequence(PredictedPlaces(), sequence)
    moved = follow_sequence(FlowSearcher(), sequence)
    np.testing.assert_array_equal(still.xyxy, np.repeat(sequence.boxes[:1], 12, axis=0))
    assert iou(sides(moved.xyxy), sides(sequence.boxes)).min() > 0.7
    assert iou(sides(still.xyxy), sides(sequence.boxes))[-1] < 0.1
