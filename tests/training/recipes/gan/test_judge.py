"""What the figures of a GAN are made of, against closed forms."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mot_dinov3.training.recipes.gan.data import CropPictures
from mot_dinov3.training.recipes.gan.judge import (
    embed,
    frechet_distance,
    mean_distance,
    open_judge,
    tell_apart,
)

RNG = np.random.default_rng(3)


def test_the_distance_of_shifted_and_widened_features():
    features = RNG.normal(size=(50, 4))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(features, features + np.array([1, 2, 0, 0])) == pytest.approx(5)
    wider = frechet_distance(features, features.mean(0) + 3 * (features - features.mean(0)))
    assert wider == pytest.approx(np.trace(np.cov(features.T)) * (3 - 1) ** 2)


def test_the_distance_of_fewer_rows_than_features():
    few = RNG.normal(size=(5, 20))
    assert frechet_distance(few, few + 1) == pytest.approx(20)


def test_the_mean_distance_is_that_of_all_pairs():
    rows = RNG.normal(size=(9, 3))
    direct = np.mean([np.linalg.norm(a - b) for a, b in combinations(rows, 2)])
    assert mean_distance(rows) == pytest.approx(direct)


@pytest.mark.parametrize(
    ("real", "made", "share"),
    [([5, 6], [3, 4], 1.0), ([3, 4], [5, 6], 0.0), ([5, 3], [6, 2], 0.5)],
)
def test_a_critic_is_right_above_and_below_the_middle(real, made, share):
    assert tell_apart(np.array(real), np.array(made)) == share


class MeanColour:
    def embed(self, image, xyxy):
        crops = [image[int(y1) : int(y2), int(x1) : int(x2)] for x1, y1, x2, y2 in xyxy]
        return np.array([crop.mean((0, 1)) for crop in crops], np.float32)


def test_an_embedder_sees_each_picture_for_itself():
    pictures = RNG.integers(0, 256, (70, 6, 4, 3), np.uint8)
    assert embed(MeanColour(), pictures) == pytest.approx(pictures.mean((1, 2)), rel=1e-5)


def test_the_random_network_is_always_the_same_and_tells_noise_from_flat_pictures():
    noise = RNG.integers(0, 256, (40, 128, 64, 3), np.uint8)
    judges = [open_judge("", CropPictures(noise[:20], noise[20:])) for _ in range(2)]
    assert np.array_equal(judges[0].real, judges[1].real)
    flat = np.full_like(noise[:20], 127)
    distance, diversity = judges[0].measure(flat)
    assert distance > 2 * judges[0].floor
    assert diversity == pytest.approx(0, abs=1e-3)
    assert judges[0].measure(noise[:20])[1] == pytest.approx(1, abs=0.2)
