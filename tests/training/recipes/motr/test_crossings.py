"""Crossings: found where two hide one another, and kept where both come out as they went in."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.training.recipes.motr.crossings import Crossing, count_kept, find_crossings

FRAMES = 21


def table(tracks):
    """Boxes of 10 x 20 pixels; `tracks` is identity -> x of each frame."""
    rows = [(frame, number, x) for number, xs in tracks.items() for frame, x in enumerate(xs)]
    rows = np.array(sorted(rows), np.float64)
    boxes = np.stack((rows[:, 2], 0 * rows[:, 2], rows[:, 2] + 10, 20 + 0 * rows[:, 2]), 1)
    ones = np.ones(len(rows))
    return MotTable(
        rows[:, 0].astype(np.int64),
        rows[:, 1].astype(np.int64),
        boxes.astype(np.float32),
        ones.astype(np.float32),
        ones.astype(np.int64),
        ones.astype(np.float32),
    )


RIGHT, LEFT = np.arange(FRAMES) * 4.0, 80 - np.arange(FRAMES) * 4.0
TRUTH = table({1: RIGHT, 2: LEFT, 3: np.full(FRAMES, 300.0)})


def test_two_that_pass_meet_once():
    (crossing,) = find_crossings(TRUTH, FRAMES)
    assert crossing == Crossing((1, 2), 8, 10, 12)


def test_two_that_come_near_do_not_meet():
    near = table({1: np.minimum(RIGHT, 32), 2: np.maximum(LEFT, 41)})
    assert find_crossings(near, FRAMES) == []


@pytest.mark.parametrize(
    ("late", "kept"),
    [
        pytest.param(({7: RIGHT, 8: LEFT}), (1, 1), id="as they went in"),
        pytest.param(
            {7: np.r_[RIGHT[:11], LEFT[11:]], 8: np.r_[LEFT[:11], RIGHT[11:]]},
            (0, 1),
            id="exchanged",
        ),
        pytest.param({7: RIGHT, 8: np.r_[LEFT[:11], np.full(10, 500.0)]}, (0, 1), id="one lost"),
        pytest.param({7: RIGHT}, (0, 0), id="one was never tracked"),
    ],
)
def test_a_crossing_is_kept_where_both_are_who_they_were(late, kept):
    assert count_kept(find_crossings(TRUTH, FRAMES), TRUTH, table(late)) == kept
