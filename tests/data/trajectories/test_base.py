from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.data.trajectories.base import Trajectories


def test_what_is_absent_is_neither_present_nor_observed():
    truth = np.zeros((2, 3, 4), np.float32)
    seen = truth.copy()
    truth[0, 1], seen[1, 2], seen[0, 1] = np.nan, np.nan, np.nan
    one = Trajectories("a", 25.0, truth, seen, np.ones((2, 3), np.float32))
    assert len(one) == 2
    np.testing.assert_array_equal(one.present, [[1, 0, 1], [1, 1, 1]])
    np.testing.assert_array_equal(one.observed, [[1, 0, 1], [1, 1, 0]])


def test_arrays_that_are_not_aligned_are_refused():
    boxes = np.zeros((2, 3, 4), np.float32)
    with pytest.raises(ValueError, match="Trajectories"):
        Trajectories("a", 25.0, boxes, boxes[:1], np.ones((2, 3), np.float32))
