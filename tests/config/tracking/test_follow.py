"""What `--box`, `--pick` and `--frame` may say."""

from __future__ import annotations

import pytest

from mot_dinov3.config import FollowConfig
from mot_dinov3.config.tracking.follow import measure_visible
from mot_dinov3.errors import UsageError


def test_a_box_is_left_top_width_and_height():
    assert FollowConfig(box=" 10, 20.5,30,40 ").xyxy == (10, 20.5, 40, 60.5)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"box": "1,2,3"}, "four numbers"),
        ({"box": "1,2,3,4,5"}, "four numbers"),
        ({"box": "a,b,c,d"}, "four numbers"),
        ({"box": "1,2,nan,4"}, "four numbers"),
        ({"box": "1,2,inf,4"}, "four numbers"),
        ({"box": "1,2,0,4"}, "empty"),
        ({"box": "1,2,3,-4"}, "empty"),
        ({"box": "1,2,3,4", "pick": "car"}, "both"),
        ({"pick": " , "}, "--pick"),
        ({"frame": -2}, "--frame"),
    ],
)
def test_wrong_values_are_refused(values, said):
    with pytest.raises(UsageError, match=said):
        FollowConfig(**values)


@pytest.mark.parametrize("box", ["-10,0,20,20", "90,0,20,20", "0,40,20,20", "0,0,100,50"])
def test_a_box_may_reach_over_the_border(box):
    FollowConfig(box=box).check_size(100, 50)


@pytest.mark.parametrize(
    "box", ["-11,0,20,20", "91,0,20,20", "0,41,20,20", "500,500,9,9", "0,0,1e300,1e300"]
)
def test_a_box_must_be_inside_for_the_most_part(box):
    with pytest.raises(UsageError, match="outside of the picture, which has 100x50 pixels"):
        FollowConfig(box=box).check_size(100, 50)


def test_what_is_visible_is_a_share_of_the_area():
    assert measure_visible((-10, -10, 10, 10), 100, 50) == pytest.approx(0.25)
    assert measure_visible((200, 0, 210, 10), 100, 50) == 0
