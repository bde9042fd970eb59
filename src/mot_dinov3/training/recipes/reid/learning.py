"""A network while it learns: what is beside it, and what it is measured by."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from mot_dinov3.nets.reid.network import ReidFeatures, ReidNetwork
from mot_dinov3.nets.reid.statistics import renew_statistics
from mot_dinov3.training.recipes.reid.losses import (
    build_triplet_loss,
    centre_loss,
    classification_loss,
    similarity_loss,
)
from mot_dinov3.training.recipes.reid.pictures import normalise
from mot_dinov3.training.schedule import group_parameters
from mot_dinov3.values import FloatArray

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.reid.recipe import ReidRecipe

EMBED_AT_ONCE = 128
CLASSIFIER_STD = 1e-3
TEMPERATURE, MOMENTUM = 0.05, 0.2
"""Of the cosines with centroids, and share of a centroid that a picture replaces."""


@dataclass(frozen=True, slots=True)
class Weighting:
    """How much each term of the loss counts.

    Attributes:
        margin: least difference of the cosines of a match and of a stranger.
        centre: of the distances to the centres of classes.
        epsilon: first coefficient of PolyLoss.
        keep: of the cosines that the network began with.
    """

    margin: float
    centre: float
    epsilon: float
    keep: float


class Samples:
    """Pictures that copies of a model share.

    Attributes:
        pixels: (S, 3, h, w) uint8.
    """

    def __init__(self, pixels: Tensor) -> None:
        self.pixels = pixels

    def __deepcopy__(self, memo: object) -> Samples:
        return self


class LearningNetwork(nn.Module):  # type: ignore[misc]
    """A network with its classifier, its centres, and the network it was before.

    Attributes:
        network: what is learned.
        before: the same at the start, frozen.
    """

    def __init__(
        self, network: ReidNetwork, classes: int, weighting: Weighting, samples: Tensor
    ) -> None:
        """Begin to learn.

        Args:
            network: as it begins.
            classes: identities that are told apart.
            weighting: of the terms of the loss.
            samples: (S, 3, h, w) uint8 pictures of those to learn from.
        """
        super().__init__()
        self.network = network
        self.samples = Samples(samples)
        self.before = deepcopy(network).eval().requires_grad_(False)
        self.classifier = nn.Linear(network.dim, max(1, classes), bias=False)
        nn.init.normal_(self.classifier.weight, std=CLASSIFIER_STD)
        self.centres = nn.Parameter(torch.zeros(max(1, classes), network.dim))
        self._weighting = weighting
        self._miner, self._triplet = build_triplet_loss(weighting.margin)

    def train(self, mode: bool = True) -> LearningNetwork:
        """Change the mode; the network of before stays in evaluation mode."""
        super().train(mode)
        self.before.eval()
        return self

    @property
    def fresh(self) -> Iterator[nn.Parameter]:
        """The weights beside the network that begin from nothing and decay."""
        yield from self.classifier.parameters()

    def list_kept(self) -> dict[str, Tensor]:
        """The weights beside the network that a checkpoint holds, by name."""
        return {}

    def measure_loss(self, pixels: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Named terms for (B, 3, H, W) pictures and their (B,) classes, -1 for made-up ones."""
        features = self.network.describe(pixels)
        terms = self.measure_terms(self.pool(features, len(labels)), labels)
        if self._weighting.keep:
            terms["keep"] = self._weighting.keep * self.measure_change(pixels, features.vectors)
        return terms

    def pool(self, frames: ReidFeatures, count: int) -> ReidFeatures:
        """Features of the `count` things that have a class, from those of all pictures."""
        return frames

    def measure_terms(self, features: ReidFeatures, labels: Tensor) -> dict[str, Tensor]:
        """The terms of B features and their (B,) classes, -1 for made-up ones."""
        weighting, known = self._weighting, labels >= 0
        pooled, necked = features.pooled.float(), features.necked.float()
        logits = self.classifier(necked).float()
        terms = {
            "class": classification_loss(logits, labels, weighting.epsilon),
            "triplet": self.measure_triplets(necked[known], labels[known]),
        }
        if weighting.centre:
            terms["centre"] = weighting.centre * centre_loss(pooled, labels, self.centres)
        return terms

    def measure_triplets(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """The loss of the hardest match and the hardest stranger of every picture."""
        loss: Tensor = self._triplet(vectors, labels, self._miner(vectors, labels))
        return loss

    def measure_change(self, pixels: Tensor, vectors: Tensor) -> Tensor:
        """How far cosines are from those that the network began with, by every other picture.

        Half of a batch tells as much of them, and the network of before takes time.
        """
        with torch.no_grad():
            before = self.before(pixels[::2]).float()
        return similarity_loss(vectors[::2].float(), before)


class MemoryNetwork(LearningNetwork):
    """A network whose classifier are the centroids of what it tells apart.

    They begin as what it says of its pictures, so that its first steps do not follow classes drawn
    at random, and move with it (Dai et al. 2021, "Cluster contrast for unsupervised person
    re-identification", https://arxiv.org/abs/2103.11568, equations 1 and 2).

    Attributes:
        memory: (most classes, D) unit rows, of which the first `classes` are in use.
    """

    memory: Tensor
    classes: Tensor

    def __init__(
        self, network: ReidNetwork, most: int, weighting: Weighting, samples: Tensor
    ) -> None:
        super().__init__(network, 0, weighting, samples)
        self.register_buffer("memory", torch.zeros(most, network.dim))
        self.register_buffer("classes", torch.zeros((), dtype=torch.int64))

    def remember(self, centroids: FloatArray) -> None:
        """Begin with other classes."""
        self.classes.fill_(len(centroids))
        self.memory[: len(centroids)] = torch.from_numpy(centroids).to(self.memory.device)

    def measure_terms(self, features: ReidFeatures, labels: Tensor) -> dict[str, Tensor]:
        """The terms of B features and their (B,) classes, as above; the memory moves on."""
        vectors, known = features.vectors.float(), labels >= 0
        unit = normalize(vectors, dim=1)
        logits = unit @ self.memory[: int(self.classes)].clone().T / TEMPERATURE
        terms = {
            "class": classification_loss(logits, labels, 0.0, smoothing=0.0),
            "triplet": self.measure_triplets(vectors[known], labels[known]),
        }
        self._move_memory(unit[known].detach(), labels[known])
        return terms

    def _move_memory(self, unit: Tensor, labels: Tensor) -> None:
        shown = labels.unique()
        mean = torch.stack([unit[labels == label].mean(0) for label in shown])
        moved = (1 - MOMENTUM) * self.memory[shown] + MOMENTUM * mean
        self.memory[shown] = normalize(moved, dim=1)


def blend(model: LearningNetwork, share: float) -> ReidNetwork:
    """The network to use: `share` of what was learned, the rest of what it began with.

    Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", equation 3: between the two
    lie networks that know the new pictures almost as well and have not forgotten the others.
    """
    out: ReidNetwork = deepcopy(model.network).eval()
    if share < 1:
        before = model.before.state_dict()
        for name, value in out.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(before[name].to(value.device), 1 - share)
        device = next(out.parameters()).device
        pixels = model.samples.pixels  # a batch of one picture has no variance
        parts = pixels.chunk(-(-len(pixels) // EMBED_AT_ONCE))
        renew_statistics(out, (normalise(part).to(device) for part in parts))
    return out


def embed_pixels(network: nn.Module, pixels: Tensor) -> FloatArray:
    """(N, D) float32 unit rows of (N, 3, H, W) uint8 pictures; the network's mode stays."""
    device = next(network.parameters()).device
    was = network.training
    network.eval()
    with torch.no_grad():
        parts = [
            network(normalise(part).to(device)).float().cpu()
            for part in pixels.split(EMBED_AT_ONCE)
        ]
    network.train(was)
    return np.asarray(normalize(torch.cat(parts), dim=1).numpy(), np.float32)


def group_by_rate(recipe: ReidRecipe, model: LearningNetwork) -> Iterator[dict[str, Any]]:
    """What is learned at which rate: what begins from nothing learns faster."""
    yield from group_parameters(model.network, recipe.decay)
    fresh = {"params": list(model.fresh), "weight_decay": recipe.decay}
    yield {**fresh, "lr": recipe.rate * recipe.fresh}
    if recipe.center_weight:
        yield {"params": [model.centres], "weight_decay": 0.0, "lr": recipe.rate * recipe.fresh}
