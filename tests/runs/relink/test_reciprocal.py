"""Shared neighbours: against a slow reading of the formula, and where cosine alone is misled."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import RelinkConfig
from mot_dinov3.runs.relink.reciprocal import encode, gallery_similarity, nearest, reciprocal


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def crowd(people=6, each=8, dim=16, noise=0.35, seed=0):
    """Galleries of people, one after another, and who each row is."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, dim))
    who = np.repeat(np.arange(people), each)
    return unit(centres[who] + noise * rng.normal(size=(people * each, dim)) * 4), who


def slow_features(vectors, k):
    """The encoding as the paper writes it, set by set."""
    similar = vectors @ vectors.T
    order = [
        sorted(range(len(vectors)), key=lambda g: (g != p, -similar[p, g]))
        for p in range(len(vectors))
    ]

    def mutual(p, k):
        return {g for g in order[p][: k + 1] if p in order[g][: k + 1]}

    out = np.zeros((len(vectors), len(vectors)))
    for p in range(len(vectors)):
        near = mutual(p, k)
        robust = set(near)
        for q in near:
            half = mutual(q, k // 2)
            if len(near & half) >= 2 / 3 * len(half):
                robust |= half
        for g in robust:
            out[p, g] = np.exp(-(1 - similar[p, g]))
    return out


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [4, 7, 20])
def test_features_are_those_of_the_formula(seed, k):
    vectors, _ = crowd(seed=seed)
    found = encode(vectors, k).toarray()
    np.testing.assert_allclose(found, slow_features(vectors, k), atol=1e-5)
    assert (found > 0).sum() > len(vectors)


def test_similarity_is_jaccard_of_gallery_means_and_a_share_of_cosine():
    vectors, who = crowd(people=3, each=5)
    galleries = [vectors[who == person] for person in range(3)]
    features = slow_features(vectors, 15 // 3)
    means = np.stack([features[who == person].mean(axis=0) for person in range(3)])
    jaccard = np.minimum(means[0], means[2]).sum() / np.maximum(means[0], means[2]).sum()
    centres = unit([gallery.mean(axis=0) for gallery in galleries])
    expected = 0.7 * jaccard + 0.3 * max(0.0, centres[0] @ centres[2])
    (found,) = gallery_similarity(galleries, np.array([0]), np.array([2]))
    assert found == pytest.approx(expected, abs=1e-5)


def test_the_same_person_is_more_alike_than_anybody_else():
    vectors, _ = crowd(people=10, each=16, noise=0.2)
    galleries = [vectors[16 * p + 8 * half :][:8] for p in range(10) for half in (0, 1)]
    rows, columns = (grid.ravel() for grid in np.meshgrid(range(0, 20, 2), range(1, 20, 2)))
    alike = gallery_similarity(galleries, rows, columns)
    same = rows + 1 == columns
    assert alike[same].min() > alike[~same].max() + 0.2


def test_neighbours_in_common_tell_what_cosine_does_not():
    """Two are at the same angle from a third; one of them has a crowd around it."""
    mine, friend = np.arange(8), 14 + np.arange(8)
    stranger, crowd_of_his = -7 - np.arange(8), -14.5 + np.arange(24) / 3
    turns = [np.deg2rad(degrees) for degrees in (mine, friend, stranger, crowd_of_his)]
    galleries = [unit(np.column_stack((np.cos(turn), np.sin(turn)))) for turn in turns]
    centres = unit([gallery.mean(axis=0) for gallery in galleries])
    assert centres[0] @ centres[1] == pytest.approx(centres[0] @ centres[2], abs=1e-5)
    alike = gallery_similarity(galleries, np.array([0, 0]), np.array([1, 2]))
    assert alike[0] > alike[1] + 0.1


def test_an_empty_gallery_is_like_nobody():
    vectors, _ = crowd(people=2, each=4)
    galleries = [vectors[:4], np.zeros((0, 0), np.float32), vectors[4:]]
    found = gallery_similarity(galleries, np.array([0, 1, 0]), np.array([1, 2, 2]))
    assert found[0] == found[1] == 0
    none = np.zeros(0, np.int64)
    assert gallery_similarity(galleries, none, none).shape == (0,)
    assert gallery_similarity([], none, none).shape == (0,)


def test_two_embeddings_in_all_tell_nothing():
    """Without a third to compare with, only the share of cosine is left."""
    one = unit([[1.0, 0.2]])
    (found,) = gallery_similarity([one, one], np.array([0]), np.array([1]))
    assert found == pytest.approx(0.3, abs=1e-5)
    (alone,) = gallery_similarity([one], np.array([0]), np.array([0]))
    assert alone == pytest.approx(1.0, abs=1e-5)


def test_strips_change_nothing(monkeypatch):
    vectors, _ = crowd()
    whole = encode(vectors, 20).toarray(), nearest(vectors, 5)
    galleries = np.split(vectors, 6)
    rows, columns = np.triu_indices(6, 1)
    alike = gallery_similarity(galleries, rows, columns)
    for name in ("STRIP", "PAIRS"):
        monkeypatch.setattr(f"mot_dinov3.runs.relink.reciprocal.{name}", 7)
    np.testing.assert_allclose(encode(vectors, 20).toarray(), whole[0], atol=1e-6)
    np.testing.assert_array_equal(nearest(vectors, 5), whole[1])
    np.testing.assert_allclose(gallery_similarity(galleries, rows, columns), alike, atol=1e-6)


@pytest.mark.parametrize("strangers", [1, 2, 3, 5])
def test_few_strangers_are_not_one_because_there_is_nobody_else(strangers):
    """Embedders that tell people apart by little: the cosine of two of them is 0.75."""
    rng = np.random.default_rng(strangers)
    common = 1.7 * unit(rng.normal(size=(1, 64)))
    people = common + unit(rng.normal(size=(strangers + 1, 64)))
    galleries = [unit(person + 0.06 * rng.normal(size=(8, 64))) for person in people]
    zeros = np.zeros(strangers, np.int64)
    alike = gallery_similarity(galleries, zeros, 1 + np.arange(strangers))
    assert (galleries[0] @ galleries[1].T).mean() > 0.6
    assert alike.max() < RelinkConfig().similarity


def test_a_row_is_its_own_nearest_even_among_copies():
    copies = unit(np.ones((4, 3)))
    near = nearest(copies, 2)
    assert near[:, 0].tolist() == [0, 1, 2, 3]
    assert (reciprocal(near).toarray().diagonal() == 1).all()
