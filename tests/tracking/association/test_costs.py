from __future__ import annotations

import numpy as np

from mot_dinov3.tracking.association.costs import blend, distinctness


def matrix(*rows):
    return np.array(rows, np.float32)


def test_appearance_counts_only_where_there_is_evidence():
    iou, appearance = matrix([0.5, 0.5]), matrix([0.0, 0.0])
    cost = blend(iou, appearance, np.array([[True, False]]), weight=0.4)
    np.testing.assert_allclose(cost, [[0.3, 0.5]], atol=1e-6)


def test_distinctness_is_the_mean_lead_of_row_and_column():
    similarity = matrix([0.9, 0.8, 0.1], [0.3, 0.75, 0.2])
    found = distinctness(similarity, np.ones((2, 3), bool))
    rows, columns = np.array([0.1, 0.45]), np.array([0.6, 0.05, 0.1])
    wanted = np.minimum(0.5 * (rows[:, None] + columns[None]) / 0.25, 1)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_what_is_not_known_leads_no_pair():
    similarity = matrix([0.9, 0.88], [0.85, 0.3])
    known = np.array([[True, False], [True, False]])
    assert distinctness(similarity, known)[0, 0] == 1


def test_weights_may_differ_from_pair_to_pair():
    place, appearance, weight = matrix([0.5, 0.5]), matrix([0.0, 0.0]), matrix([0.2, 1.0])
    cost = blend(place, appearance, np.ones((1, 2), bool), weight)
    np.testing.assert_allclose(cost, [[0.4, 0.0]], atol=1e-6)
