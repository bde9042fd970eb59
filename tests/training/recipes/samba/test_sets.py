"""Which sequences are learned from."""

from __future__ import annotations

import pytest

from helpers.moving_together import draw_together, write_sequence
from mot_dinov3.errors import InputError
from mot_dinov3.training.recipes.samba.sets import read_all, require_long


def test_each_value_is_a_set_of_its_own(tmp_path):
    for name, count in (("a", 2), ("b", 1)):
        for number in range(count):
            write_sequence(tmp_path / name / str(number), draw_together(0, frames=9))
    sets = read_all(f"mot:{tmp_path / 'a'},mot:{tmp_path / 'b'}")
    assert [len(one) for one in sets] == [2, 1]


def test_sequences_shorter_than_a_clip_are_left_out_and_none_is_an_error():
    short, long = draw_together(0, frames=9), draw_together(0, frames=30)
    assert require_long([short, long], 20) == [long]
    with pytest.raises(InputError, match="has 30 frames, and clips of 31") as caught:
        require_long([short, long], 31)
    assert "--frames" in str(caught.value)
