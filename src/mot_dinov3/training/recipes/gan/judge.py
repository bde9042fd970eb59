"""How good made pictures are, in the features of a network that never learns from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.perception.features.base import Embedder, Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.training.recipes.gan.data import CropPictures, Pictures
from mot_dinov3.training.recipes.gan.sampling import AT_ONCE, as_batch, as_input
from mot_dinov3.values import FloatArray

RANDOM_NET, RANDOM_SEED = "random_net", 0
MOST_MEASURED = 2000
"""Held-out pictures beyond these are not looked at."""


@dataclass
class Judge:
    """Compares made pictures with real ones.

    Attributes:
        name: what the features come from, for the names of the figures.
        describe: pictures -> (N, D) features.
        real: (N, D) features of the held-out pictures.
        floor: feature distance of as many pictures that were learned from: what perfect ones reach.
        untrained: feature distance of the generator before it learned, once it is known.
    """

    name: str
    describe: Callable[[Pictures], FloatArray]
    real: FloatArray
    floor: float
    untrained: float | None = None

    def measure(self, made: Pictures) -> tuple[float, float]:
        """Feature distance of made pictures from the held-out ones, and their diversity.

        Diversity is how different they are from each other, as a share of how real ones are.
        """
        features = self.describe(made)
        diversity = mean_distance(features) / max(mean_distance(self.real), 1e-12)
        return frechet_distance(features, self.real), diversity


def open_judge(model: str, pictures: CropPictures) -> Judge:
    """Get ready to judge.

    Args:
        model: ONNX file of a re-identification network; empty for a network of random weights,
            always the same ones.
        pictures: the held-out ones are what made pictures are compared with.

    Raises:
        ModelError: the file cannot be used.
    """
    name = "judge" if model else RANDOM_NET
    describe = partial(embed, load_embedder(model)) if model else build_random_net()
    real = describe(pictures.held_out[:MOST_MEASURED])
    others = np.random.default_rng(0).permutation(len(pictures.learned))[: len(real)]
    floor = frechet_distance(describe(pictures.learned[others]), real)
    return Judge(name, describe, real, floor)


def load_embedder(model: str) -> Embedder:
    """An embedder that sees pictures whole."""
    config = EmbedderConfig(embedder="onnx", embed_model=model, crop_pad=0.0, crop_square=False)
    return create_embedder(config, Placement("cpu"))


def embed(embedder: Embedder, pictures: Pictures) -> FloatArray:
    """Describe pictures, stacked into tall ones, each in a box of its own."""
    _, height, width, _ = pictures.shape
    parts = []
    for first in range(0, len(pictures), AT_ONCE):
        part = pictures[first : first + AT_ONCE]
        top = np.arange(len(part), dtype=np.float32) * height
        boxes = np.stack([0 * top, top, 0 * top + width, top + height], axis=1)
        parts.append(embedder.embed(part.reshape(-1, width, 3), boxes))
    return np.concatenate(parts)


def build_random_net() -> Callable[[Pictures], FloatArray]:
    """Features of three convolutions with random weights, averaged over the halves of a picture."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        widths = (3, 32, 64, 128)
        layers = [
            layer
            for before, after in pairwise(widths)
            for layer in (nn.Conv2d(before, after, 4, 2, 1), nn.ReLU())
        ]
        network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d((2, 1)), nn.Flatten()).eval()

    def describe(pictures: Pictures) -> FloatArray:
        with torch.no_grad():
            parts = [network(as_input(part)) for part in as_batch(pictures).split(AT_ONCE)]
        features: FloatArray = torch.cat(parts).numpy()
        return features

    return describe


def frechet_distance(one: FloatArray, other: FloatArray) -> float:
    """Squared Fréchet distance of the normal distributions of two sets (Heusel et al. 2017, eq. 6).

    Args:
        one: (N, D) features, N at least 2.
        other: (M, D) features, M at least 2.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    shift = first.mean(0) - second.mean(0)
    spread, other_spread = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    values, vectors = np.linalg.eigh(spread)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ other_spread @ root).clip(0)).sum()
    return float(shift @ shift + np.trace(spread) + np.trace(other_spread) - 2 * cross)


def mean_distance(features: FloatArray) -> float:
    """Mean Euclidean distance between two different rows of (N, D)."""
    rows = np.asarray(features, np.float64)
    square = (rows**2).sum(1)
    apart = np.sqrt((square[:, None] + square[None, :] - 2 * rows @ rows.T).clip(0))
    return float(apart.sum() / (len(rows) * (len(rows) - 1)))


def tell_apart(real: FloatArray, made: FloatArray) -> float:
    """Share of pictures that a critic is right about when it calls half of them real.

    The scores of some critics have no zero, so that the middle of all of them is the threshold.

    Args:
        real: (N,) scores of real pictures.
        made: (N,) scores of as many made ones.
    """
    middle = np.median(np.concatenate([real, made]))
    return float((np.mean(real > middle) + np.mean(made < middle)) / 2)
