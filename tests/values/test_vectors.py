from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.values.vectors import cosine, update_mean

RIGHT, UP = np.eye(2, dtype=np.float32)


def test_cosines_are_taken_row_by_row():
    assert cosine(np.stack((RIGHT, UP)), np.stack((RIGHT, RIGHT))).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(("known", "expected"), [(False, UP), (True, [0.8, 0.6])])
def test_a_mean_keeps_its_past_only_where_it_has_one(known, expected):
    out = update_mean(RIGHT[None], np.array([known]), UP[None], 4 / 7)
    assert out.dtype == np.float32
    assert out[0] == pytest.approx(expected)


def test_a_mean_of_opposites_is_finite():
    assert not update_mean(RIGHT[None], np.array([True]), -RIGHT[None], 0.5).any()
