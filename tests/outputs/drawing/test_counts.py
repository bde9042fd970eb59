"""Lines and zones in the picture: where they are, of a size that fits, and never beyond it."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.drawing.counts import (
    COLOURS,
    describe_line,
    describe_zone,
    draw_counts,
)
from mot_dinov3.outputs.drawing.sizes import choose_sizes
from mot_dinov3.values.counting import FrameCounts, LineCounts, ZoneCounts

GREY = 100


def draw(size=(320, 240), lines=(), zones=(), taken=()):
    """A grey picture with lines and zones, and where it is not grey any more."""
    image = np.full((size[1], size[0], 3), GREY, np.uint8)
    sizes = choose_sizes(image, DrawConfig())
    draw_counts(image, FrameCounts((), tuple(lines), tuple(zones)), sizes, list(taken))
    return image, (image != GREY).any(axis=2)


def line(*ends, name="door"):
    return LineCounts(name, ends, 3, 2)


def zone(*corners, name="yard"):
    return ZoneCounts(name, corners, 2, 7)


def test_texts_name_the_place_and_its_counts():
    assert describe_line(line((0, 0), (1, 1))) == "door  in 3  out 2"
    assert describe_zone(zone((0, 0), (1, 1), (2, 2))) == "yard  2 inside"


def test_nothing_to_draw_leaves_the_picture_as_it_is():
    assert not draw()[1].any()


def test_a_line_is_where_it_was_given_and_its_arrow_shows_in():
    image, drawn = draw(lines=[line((10, 200), (310, 200))])
    assert np.abs(image[200, 40:140].astype(int) - COLOURS[0]).max() < 30
    assert drawn[190:198, 155:166].any()  # in is up, on the way from left to right
    assert not drawn[:180].any()
    _, drawn = draw(lines=[line((310, 40), (10, 40))])
    assert drawn[42:52, 155:166].any()


def test_a_zone_is_filled_lightly_and_its_outside_is_left_alone():
    image, drawn = draw(zones=[zone((100, 50), (300, 50), (300, 200), (100, 200))])
    assert drawn[60:190, 110:290].all()
    assert np.abs(image[150:190, 110:290].astype(int) - GREY).max() < 40
    assert not drawn[:45].any()
    assert not drawn[:, :95].any()


@pytest.mark.parametrize("size", [(8, 6), (64, 48), (640, 360), (3840, 2160)])
def test_every_size_of_picture_can_be_drawn_on(size):
    width, height = size
    box = zone((0, 0), (width, 0), (width, height), (0, height), name="whole" * 8)
    _, drawn = draw(size, [line((0, height), (width, 0), name="a" * 40)], [box])
    assert drawn.mean() > 0.9


def test_texts_grow_with_the_picture():
    shares = []
    for scale in (1, 2, 3):
        _, drawn = draw((1280 * scale, 720 * scale), [line((0, 1), (0, 2), name="w" * 10)])
        shares.append(drawn.mean())
    assert shares == pytest.approx([shares[0]] * 3, rel=0.3)


def test_half_a_character_and_foreign_letters_do_no_harm():
    draw(lines=[line((10, 10), (300, 10), name="T\udc80\u00fcr \u95e8")])


def test_texts_do_not_cover_each_other():
    crowd = [line((160, 0), (160, 240), name=f"line {n}") for n in range(4)]
    whole = draw(lines=crowd)[1].sum()
    alone = draw(lines=crowd[:1])[1].sum()
    strokes = draw(lines=[line((160, 0), (160, 240), name=" ")])[1].sum()
    assert whole - strokes > 3 * (alone - strokes)


def test_texts_keep_off_what_is_there_already():
    _, drawn = draw(lines=[line((10, 0), (10, 240))], taken=[(0, 0, 320, 60)])
    assert not drawn[:55, 30:].any()
    assert drawn[60:90, 30:].any()
