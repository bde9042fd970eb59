"""Shared neighbours, against a slow reading of the formulas."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.reciprocal_oracle import crowd, slow_features, slow_jaccard, unit
from mot_dinov3.evaluation.reid.reciprocal import (
    choose_neighbourhoods,
    encode,
    jaccard_distances,
    nearest,
    reciprocal,
    rerank_distances,
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [4, 7, 20])
def test_features_are_those_of_the_formula(seed, k):
    vectors, _ = crowd(seed=seed)
    found = encode(vectors, k).toarray()
    np.testing.assert_allclose(found, slow_features(vectors, k), atol=1e-5)
    assert (found > 0).sum() > len(vectors)


@pytest.mark.parametrize(("k1", "k2"), [(20, 6), (7, 3), (4, 1), (2, 6)])
def test_distances_are_those_of_the_formula(k1, k2):
    vectors, _ = crowd(seed=k1)
    found = jaccard_distances(vectors, k1, k2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slow_jaccard(vectors, k1, k2), atol=1e-6)
    assert found.min() >= 0
    assert 0.5 < found.max() <= 1


def test_the_final_distance_has_a_share_of_the_plain_one():
    vectors, _ = crowd(seed=5)
    expected = 0.7 * slow_jaccard(vectors, 20, 6) + 0.3 * (1 - vectors @ vectors.T)
    found = rerank_distances(vectors[:9], vectors[9:])
    np.testing.assert_allclose(found, expected[:9, 9:], atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_vectors_are_all_neighbours(n):
    vectors, _ = crowd(people=n, each=1)
    np.testing.assert_allclose(
        jaccard_distances(vectors), slow_jaccard(vectors, n - 1, n), atol=1e-6
    )


def test_strips_change_nothing(monkeypatch):
    vectors, _ = crowd()
    whole = encode(vectors, 20).toarray(), nearest(vectors, 5)
    for name in ("STRIP", "PAIRS"):
        monkeypatch.setattr(f"mot_dinov3.evaluation.reid.reciprocal.{name}", 7)
    np.testing.assert_allclose(encode(vectors, 20).toarray(), whole[0], atol=1e-6)
    np.testing.assert_array_equal(nearest(vectors, 5), whole[1])


def test_a_row_is_its_own_nearest_even_among_copies():
    copies = unit(np.ones((4, 3)))
    near = nearest(copies, 2)
    assert near[:, 0].tolist() == [0, 1, 2, 3]
    assert (reciprocal(near).toarray().diagonal() == 1).all()


def test_neighbourhoods_are_no_larger_than_an_identity_makes_sense_of():
    assert choose_neighbourhoods(19_281, 750) == (20, 6)
    assert choose_neighbourhoods(480, 120) == (10, 3)
    assert choose_neighbourhoods(10, 10) == (2, 1)
