"""Trails: where confirmed tracks were in the last seconds, fading, with gaps where they were."""

from __future__ import annotations

import numpy as np

from helpers.results import Seen, result_at
from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.drawing import TrackPainter, choose_colour
from mot_dinov3.outputs.drawing.trails import STEPS, Trails
from mot_dinov3.values import TrackState

SIZE = (240, 320)
Y = 150


def walker(index, track_id=5, speed=2.0, **more):
    """A box whose lower middle is at (20 + speed * index, 150)."""
    x = 20 + speed * index
    return Seen(track_id, (x - 5, Y - 60, x + 5, Y), **more)


def painted(trails, time_s, thickness_px=3):
    image = np.zeros((*SIZE, 3), np.uint8)
    trails.draw(image, time_s, thickness_px)
    return image


def walk(trails, frames, **more):
    for index in frames:
        trails.add(result_at(index, walker(index, **more)))


def lit(image, x):
    """Whether the line of the walk is painted at a column."""
    return bool(image[Y - 1 : Y + 2, x].any())


def test_a_trail_is_as_long_as_its_seconds():
    trails = Trails(2.0)
    walk(trails, range(100))  # 4 s at 25 frames a second; the last 2 begin at frame 49
    image = painted(trails, 99 / 25)
    assert lit(image, 20 + 2 * 98)
    assert lit(image, 20 + 2 * 60)
    assert not lit(image, 20 + 2 * 40)


def test_older_parts_are_fainter_and_keep_the_colour():
    trails = Trails(4.0)
    walk(trails, range(100))
    image = painted(trails, 99 / 25).astype(int)
    old, new = image[Y, 20 + 2 * 10], image[Y, 20 + 2 * 97]
    assert new.sum() > 2 * old.sum() > 0
    np.testing.assert_allclose(new, choose_colour(5), atol=12)


def test_a_trail_goes_on_through_frames_in_which_the_track_was_searched():
    trails = Trails(60.0)
    for index in range(30):
        found = {} if index % 3 == 0 else {"state": TrackState.SEARCHED, "seen": False}
        walk(trails, [index], **found)
    image = painted(trails, 29 / 25)
    assert all(lit(image, x) for x in range(22, 76))


def test_no_line_leads_over_a_gap():
    trails = Trails(60.0)  # so long that all of it is of one brightness
    walk(trails, range(20))
    for index in range(20, 40):
        trails.add(result_at(index, walker(index, seen=False, state=TrackState.LOST)))
    walk(trails, range(40, 60))
    image = painted(trails, 60 / 25)
    assert lit(image, 20 + 2 * 10)
    assert not lit(image, 20 + 2 * 30)
    assert lit(image, 20 + 2 * 50)


def test_only_what_is_confirmed_and_seen_leaves_a_trail():
    trails = Trails(10.0)
    walk(trails, range(30), state=TrackState.TENTATIVE)
    assert not painted(trails, 1.2).any()


def test_a_trail_fades_out_after_its_track():
    trails = Trails(1.0)
    walk(trails, range(25))
    for index in range(25, 60):
        trails.add(result_at(index, Seen(9, (300, 10, 310, 20))))
    assert not lit(painted(trails, 59 / 25), 20 + 2 * 20)
    assert set(trails._steps) == {9}


def test_the_points_of_a_trail_are_few_at_any_rate():
    trails = Trails(60.0)
    walk(trails, range(3000), speed=0.05)
    assert len(trails._steps[5]) < 2 * STEPS


def test_without_seconds_nothing_is_kept():
    trails = Trails(0.0)
    walk(trails, range(5))
    assert not trails._steps


def test_odd_boxes_do_no_harm():
    trails = Trails(5.0)
    for index, box in enumerate([(np.nan,) * 4, (-1e30, 0, 1e30, 1e30), (0, 0, np.inf, 1)]):
        trails.add(result_at(index, Seen(1, box)))
    painted(trails, 0.1)


def test_the_painter_draws_trails_below_boxes():
    painter, black = TrackPainter(DrawConfig(trails=3.0)), np.zeros((*SIZE, 3), np.uint8)
    for index in range(30):
        out = painter.draw(black, result_at(index, walker(index)), {})
    assert lit(out, 20 + 2 * 15)
    assert not lit(TrackPainter(DrawConfig()).draw(black, result_at(29, walker(29)), {}), 50)
