from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import boxes
from mot_dinov3.config import TrackerConfig
from mot_dinov3.tracking.association.border import cut, cut_at_border
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import Embeddings

SIZE = (640, 480)


def test_boxes_inside_stay_the_same_objects():
    tracker, seen = Tracker(TrackerConfig()), boxes((0, 0, 640, 480), (10, 10, 20, 20))
    view = tracker.predict(0.0, seen)
    cut_seen, cut_view = cut_at_border(seen, view, SIZE)
    assert cut_seen is seen
    assert cut_view is view


def test_a_box_ends_where_the_picture_does():
    xyxy = np.array([(-50, 20, 30, 900), (600, -9, 700, 100), (5, 5, 9, 9)], np.float32)
    assert cut(xyxy, SIZE).tolist() == [[0, 20, 30, 480], [600, 0, 640, 100], [5, 5, 9, 9]]


@pytest.mark.parametrize("box", [(637, 10, 900, 90), (700, 10, 900, 90), (-90, -90, 3, 100)])
def test_what_the_picture_hardly_shows_is_compared_whole(box):
    assert cut(np.array([box], np.float32), SIZE).tolist() == [list(box)]


STANDING = [(390, 10, 545, 395)] * 15
LEAVING = [
    *((400, 6, 590, 396), (425, 6, 640, 398), (455, 5, 700, 405), (510, 8, 728, 405)),
    *((540, 30, 710, 400), (543, 30, 747, 400), (546, 48, 768, 400), (586, 50, 768, 396)),
    *((656, 82, 768, 396), (697, 155, 768, 402), (702, 265, 768, 400), (702, 290, 768, 402)),
    (714, 295, 768, 402),
]
"""Less and less of a person is seen who walks out of a picture 768 wide."""


def count_identities(size):
    """The identities of the person who leaves."""
    tracker, found = Tracker(TrackerConfig()), set()
    for step, box in enumerate([*STANDING, *LEAVING]):
        seen = boxes((*box, 0.88))
        view = tracker.predict(step / 10, seen)
        scene = tracker.compare(seen, view, size=size)
        tracks = tracker.update(scene, Embeddings.none(len(seen)), view)
        found |= {i for i in tracks.id.tolist() if i > 0}
    return len(found)


def test_who_leaves_the_picture_keeps_one_identity():
    assert count_identities((768, 432)) == 1
    assert count_identities((0, 0)) == 2, "the prediction goes on beyond the border"
