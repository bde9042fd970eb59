"""Labels get places of their own, near their boxes, and keep them."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.outputs.drawing.placement import LabelPlacer

ROOM = (640, 480)
SIZE = (80, 20)


def place(placer, boxes, taken=(), size=SIZE, room=ROOM):
    labels = [(identity, box, size) for identity, box in boxes.items()]
    places = placer.place(labels, room, [*taken])
    return {
        identity: (spot.left, spot.top, spot.left + size[0], spot.top + size[1])
        for identity, spot in zip(boxes, places, strict=True)
    }


def overlap(a, b):
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0) * max(high, 0)


def covered(spots):
    spots = [*spots]
    return sum(overlap(a, b) for i, a in enumerate(spots) for b in spots[i + 1 :])


def test_a_label_alone_stands_above_its_box():
    assert place(LabelPlacer(), {1: (100, 100, 150, 200)}) == {1: (100, 80, 180, 100)}


@pytest.mark.parametrize("seed", range(5))
def test_the_labels_of_a_crowd_do_not_cover_each_other(seed):
    rng = np.random.default_rng(seed)
    corners = rng.integers((150, 150), (450, 300), (25, 2))
    boxes = {n: (x, y, x + 30, y + 70) for n, (x, y) in enumerate(corners.tolist(), 1)}
    spots = place(LabelPlacer(), boxes)
    assert covered(spots.values()) == 0
    assert all(
        left >= 0 and top >= 0 and right <= ROOM[0] and bottom <= ROOM[1]
        for left, top, right, bottom in spots.values()
    )


def test_what_comes_later_goes_around_what_is_there():
    placer, first = LabelPlacer(), {1: (100, 100, 150, 200)}
    alone = place(placer, first)
    both = place(placer, {**first, 2: (105, 102, 155, 202)})
    assert both[1] == alone[1]
    assert overlap(both[1], both[2]) == 0


def test_a_label_stays_where_it_was_as_long_as_that_is_free():
    placer = LabelPlacer()
    two = {1: (100, 100, 150, 200), 2: (105, 102, 155, 202)}
    before = place(placer, two)[2]
    alone = place(placer, {2: two[2]})[2]
    assert alone == before, "the better place is free, but it would jump there and back"
    assert place(LabelPlacer(), {2: two[2]})[2] != before


def test_a_label_keeps_its_place_when_its_track_is_confirmed():
    placer, boxes = LabelPlacer(), {1: (100, 100, 150, 200), -1: (105, 102, 155, 202)}
    young = place(placer, boxes)[-1]
    placer.hand_on({-1: 2})
    assert place(placer, {2: boxes[-1]})[2] == young
    assert place(placer, {-1: boxes[-1]})[-1] != young, "the old identity is free again"


def test_labels_move_with_their_boxes_instead_of_jumping():
    placer = LabelPlacer()
    rng, jumps, before = np.random.default_rng(0), 0, {}
    corners = rng.integers((100, 100), (400, 300), (12, 2)).astype(float)
    speed = rng.normal(0, 1, (12, 2))
    for _ in range(60):
        corners += speed
        boxes = {
            n: (round(x), round(y), round(x) + 30, round(y) + 70)
            for n, (x, y) in enumerate(corners.tolist(), 1)
        }
        spots = place(placer, boxes)
        away = {n: (spots[n][0] - boxes[n][0], spots[n][1] - boxes[n][1]) for n in boxes}
        jumps += sum(before.get(n, away[n]) != away[n] for n in boxes)
        before = away
    assert jumps <= 12, "once a label a minute of frames"


def test_a_label_that_had_to_stand_far_off_comes_back():
    placer, box = LabelPlacer(), (300, 300, 310, 310)
    wall = [(200, 240, 420, 370)]
    far = placer.place([(1, box, SIZE)], ROOM, wall)[0]
    assert far.is_far
    back = placer.place([(1, box, SIZE)], ROOM, [])[0]
    assert not back.is_far


def test_labels_leave_the_counters_free():
    corner = (0, 0, 200, 120)
    spot = place(LabelPlacer(), {1: (50, 60, 90, 200)}, [corner])[1]
    assert overlap(spot, corner) == 0


@pytest.mark.parametrize(
    "box", [(-20, -20, 30, 40), (620, 440, 700, 520), (0, 0, 640, 480), (630, 2, 638, 8)]
)
def test_a_label_is_never_cut_by_the_border(box):
    left, top, right, bottom = place(LabelPlacer(), {1: box})[1]
    assert 0 <= left < right <= ROOM[0]
    assert 0 <= top < bottom <= ROOM[1]


def test_a_label_larger_than_the_picture_begins_in_its_corner():
    assert place(LabelPlacer(), {1: (5, 5, 9, 9)}, room=(30, 12))[1][:2] == (0, 0)


def test_a_thousand_equal_boxes_are_placed():
    spots = place(LabelPlacer(), dict.fromkeys(range(1, 400), (100, 100, 150, 200)))
    assert len(spots) == 399
