from __future__ import annotations

import numpy as np

from mot_dinov3.association.costs import appearance_cost, blend
from mot_dinov3.association.returning import reachable


def matrix(*rows):
    return np.array(rows, np.float32)


def test_look_counts_only_where_there_is_evidence():
    iou, similarity = matrix([0.5, 0.5]), matrix([1.0, 1.0])
    cost = blend(iou, similarity, np.array([[True, False]]), weight=0.4)
    np.testing.assert_allclose(cost, [[0.3, 0.5]], atol=1e-6)


def test_look_cost_falls_with_similarity_and_is_bounded():
    cost = appearance_cost(matrix([-1.0, 0.4, 0.75, 1.0]))
    np.testing.assert_allclose(cost, [[1, 1, 0.5, 0]], atol=1e-6)


def test_reach_grows_with_the_time_unseen():
    here, there = matrix([100, 100, 140, 200]), matrix([400, 100, 440, 200])
    assert not reachable(there, here, np.array([0.5], np.float32))[0, 0]
    assert reachable(there, here, np.array([3.0], np.float32))[0, 0]


def test_a_returning_identity_keeps_its_size():
    here, giant = matrix([100, 100, 140, 200]), matrix([50, 0, 190, 350])
    assert not reachable(giant, here, np.array([9.0], np.float32))[0, 0]
