"""Lines and zones as they are written: each wrong one is refused with its reason."""

from __future__ import annotations

import pytest

from mot_dinov3.config.tracking.shapes import area_of, crosses_itself, parse_shapes, split_shapes
from mot_dinov3.errors import UsageError

SQUARE = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))


def test_several_shapes_are_told_apart_by_their_names():
    lines = parse_shapes("--line", "door=1,2,3,4,gate=5,6,7.5,8")
    assert [line.name for line in lines] == ["door", "gate"]
    assert lines[1].points == ((5.0, 6.0), (7.5, 8.0))
    assert split_shapes("") == []
    assert parse_shapes("--line", "") == ()


def test_a_shape_is_written_as_it_is_read():
    (zone,) = parse_shapes("--zone", "the yard = 0, 0, 0.5,0 ,1,1")
    assert zone.text == "the yard=0,0,0.5,0,1,1"
    assert parse_shapes("--zone", zone.text) == (zone,)


def test_numbers_up_to_1_are_shares_of_the_picture():
    (line,) = parse_shapes("--line", "a=0.5,0,0.25,1")
    assert line.in_shares
    assert line.to_pixels(400, 200) == ((200.0, 0.0), (100.0, 200.0))


def test_other_numbers_are_pixels_and_inside_the_picture():
    (line,) = parse_shapes("--line", "a=0,1,400,100.5")
    assert not line.in_shares
    assert line.to_pixels(400, 200) == ((0.0, 1.0), (400.0, 100.5))
    with pytest.raises(UsageError, match=r"--line 'a' has the point 400,100.5, which is outside"):
        line.to_pixels(399, 200)


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("--line", "a=0.5,0.5,0.501,0.5"),
        ("--line", "a=0,0,0,1e-320"),
        ("--zone", "a=1,1,9,1,9,1.2"),
    ],
)
def test_what_is_smaller_than_a_pixel_is_refused(flag, text):
    (shape,) = parse_shapes(flag, text)
    with pytest.raises(UsageError, match=f"{flag} 'a' is smaller than a pixel of the picture"):
        shape.to_pixels(64, 48)


@pytest.mark.parametrize(
    ("flag", "text", "said"),
    [
        ("--line", "a=1,2,3", "--line 'a' needs 4 numbers, got 3"),
        ("--line", "a=1,2,3,4,5,6", "--line 'a' needs 4 numbers, got 6"),
        ("--line", "a=1,2,nan,4", "--line 'a' needs numbers of at least 0, got 1,2,nan,4"),
        ("--line", "a=1,2,inf,4", "needs numbers of at least 0"),
        ("--line", "a=1,2,-3,4", "needs numbers of at least 0"),
        ("--line", "a=1,2,x,4", "--line 'a' needs numbers, got 'x'"),
        ("--line", "a=", "--line 'a' needs numbers, got ''"),
        ("--line", "a=7,7,7,7", "--line 'a' has no length"),
        ("--line", "1,2,3,4", "must begin with a name"),
        ("--line", "=1,2,3,4", "must begin with a name"),
        ("--line", "a" * 41 + "=1,2,3,4", "must begin with a name of at most 40 letters"),
        ("--line", "a=0.5,0.5,0.5,300", "--line 'a' mixes pixels and shares"),
        ("--zone", "a=1,2,3,4", "--zone 'a' needs 3 to 200 corners, got 2"),
        ("--zone", "a=1,2,3,4,5", "--zone 'a' needs pairs of numbers, got 5 numbers"),
        ("--zone", "a=0,0,1,1,1,0,0,1", "--zone 'a' crosses itself"),
        ("--zone", "a=0,0,5,5,9,9", "--zone 'a' encloses no area"),
        ("--zone", "a=" + ",".join(map(str, range(402))), "needs 3 to 200 corners, got 201"),
    ],
)
def test_what_is_no_line_or_zone_is_refused(flag, text, said):
    with pytest.raises(UsageError, match=said) as refused:
        parse_shapes(flag, text)
    assert refused.value.fix.startswith(f"Write it like: {flag} NAME=")


def test_a_name_with_a_control_character_is_refused():
    with pytest.raises(UsageError):
        parse_shapes("--line", "a\x1bb=1,2,3,4")


def test_sides_that_only_touch_do_not_cross():
    assert not crosses_itself(SQUARE)
    assert not crosses_itself(((0, 0), (4, 0), (4, 4), (2, 0), (0, 4)))  # a corner on a side
    assert crosses_itself((SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]))
    assert area_of(SQUARE) == 4
