"""Galleries by shared neighbours: the formula, and where cosine alone is misled."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.reciprocal_oracle import crowd, slow_features, unit
from mot_dinov3.config import RelinkConfig
from mot_dinov3.runs.relink.reciprocal import gallery_similarity


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
    galleries = np.split(vectors, 6)
    rows, columns = np.triu_indices(6, 1)
    alike = gallery_similarity(galleries, rows, columns)
    monkeypatch.setattr("mot_dinov3.runs.relink.reciprocal.STRIP", 7)
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
