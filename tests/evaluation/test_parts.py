"""`--frames`: which part of a sequence is scored."""

from __future__ import annotations

import pytest

from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.evaluation.parts import Part, parse_part


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("", 1, 9),
        ("3:5", 3, 5),
        (":4", 1, 4),
        ("4:", 4, 9),
        (":", 1, 9),
        ("9:9", 9, 9),
        ("first-half", 1, 5),
        ("second-half", 6, 9),
    ],
)
def test_words_become_frames(words, first, last):
    part = parse_part(words, 9, "walk")
    assert part == Part(first, last)
    assert len(part) == last - first + 1


@pytest.mark.parametrize("frames", [3, 600, 837])
def test_two_halves_are_the_whole(frames):
    first, second = (parse_part(f"{word}-half", frames, "x") for word in ("first", "second"))
    assert first.last + 1 == second.first == frames // 2 + 2
    assert len(first) + len(second) == frames


@pytest.mark.parametrize("words", ["5:3", "0:4", "1:10", "10:"])
def test_frames_that_are_not_there(words):
    with pytest.raises(InputError, match="'walk' has frames 1 to 9"):
        parse_part(words, 9, "walk")


@pytest.mark.parametrize("words", ["3-5", "half", "a:b", "-1:4", "1:2:3", "1:99999999999"])
def test_words_that_mean_nothing(words):
    with pytest.raises(UsageError, match="--frames cannot be"):
        parse_part(words, 9, "walk")
