"""Collecting matches stage by stage, at a price for leaving two alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mot_dinov3.tracking.assignment import REFUSED, hungarian
from mot_dinov3.tracking.association.pairing import Pairing


def settled(cost, worst=REFUSED):
    pairing = Pairing(*cost.shape, hungarian)
    assign(pairing, cost, worst)
    return pairing.matches()


def assign(pairing, cost, worst=REFUSED):
    """Offer every pair of a matrix; what is refused is not allowed."""
    rows, columns = np.indices(cost.shape).reshape(2, -1)
    pairing.assign(rows, columns, cost.ravel(), cost.ravel() < REFUSED, worst)


def partial_matchings(n, m):
    for k in range(min(n, m) + 1):
        for rows in itertools.combinations(range(n), k):
            for columns in itertools.permutations(range(m), k):
                yield list(zip(rows, columns, strict=True))


@pytest.mark.parametrize("worst", [0.3, 0.5, 0.8, 1.1])
def test_the_price_gives_the_cheapest_of_all_partial_matchings(worst):
    """Each pair that is not made costs the price; so many are possible at most."""
    rng = np.random.default_rng(round(worst * 10))
    every = list(partial_matchings(4, 4))
    for _ in range(40):
        cost = rng.uniform(0, 1.4, (4, 4)).astype(np.float32)
        cost[rng.uniform(size=cost.shape) < 0.2] = REFUSED

        def price(pairs, cost=cost):
            made = sum(float(cost[i, j]) for i, j in pairs)
            return made + worst * (4 - len(pairs))

        cheapest = min(map(price, every))
        found = settled(cost, worst)
        pairs = list(zip(found.detection_rows, found.track_rows, strict=True))
        assert price(pairs) == pytest.approx(cheapest, abs=1e-5)
        assert all(cost[i, j] < worst for i, j in pairs)


def test_two_bad_pairs_are_not_made_instead_of_one_good_one():
    cost = np.array([[0.1, 0.7], [0.7, REFUSED]], np.float32)
    assert len(settled(cost)) == 2
    one = settled(cost, 0.75)
    assert (one.detection_rows.tolist(), one.track_rows.tolist()) == ([0], [0])
    assert one.cost.tolist() == pytest.approx([0.1])
    assert one.unmatched_detections.tolist() == one.unmatched_tracks.tolist() == [1]


def test_two_fair_pairs_are_made_where_they_are_cheaper_than_one_and_the_price():
    cost = np.array([[0.1, 0.4], [0.4, REFUSED]], np.float32)
    assert len(settled(cost, 0.75)) == 2


def test_what_one_stage_took_the_next_does_not_offer():
    pairing = Pairing(3, 3, hungarian)
    assign(pairing, np.where(np.arange(9).reshape(3, 3) == 5, np.float32(0.2), REFUSED))
    assert pairing.detection_free.tolist() == [True, False, True]
    assert pairing.track_free.tolist() == [True, True, False]
    assign(pairing, np.array([[0.9, 0.1, 0], [0, 0, 0], [0.1, 0.9, 0]], np.float32))
    found = pairing.matches()
    assert dict(zip(found.detection_rows.tolist(), found.track_rows.tolist(), strict=True)) == {
        1: 2,
        0: 1,
        2: 0,
    }
    np.testing.assert_allclose(found.cost, [0.2, 0.1, 0.1])


def test_what_is_not_allowed_is_not_made():
    pairing = Pairing(1, 2, hungarian)
    one, cost = np.zeros(2, np.int64), np.array([0.1, 0.3], np.float32)
    pairing.assign(one, np.arange(2), cost, np.array([False, True]))
    found = pairing.matches()
    assert found.track_rows.tolist() == [1]
    assert found.unmatched_tracks.tolist() == [0]
