"""Learning from pictures whose identities are known."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mot_dinov3.errors import InputError
from mot_dinov3.evaluation.reid.ranking import cosine_distances, find_pairs, rank
from mot_dinov3.evaluation.reid.variants import EmbeddedSet, suggest_gate_for
from mot_dinov3.nets.reid.network import ReidNetwork
from mot_dinov3.nets.reid.renorm import renormalise
from mot_dinov3.nets.reid.statistics import restore_statistics
from mot_dinov3.perception.features.gates import GATE
from mot_dinov3.perception.features.reid_networks import create_network
from mot_dinov3.training.recipes.base import Assessment, BatchSource, NumberedBatches
from mot_dinov3.training.recipes.reid.augment import augment, build_transforms
from mot_dinov3.training.recipes.reid.clusters import measure_centroids
from mot_dinov3.training.recipes.reid.learning import (
    LearningNetwork,
    MemoryNetwork,
    Weighting,
    blend,
    embed_pixels,
)
from mot_dinov3.training.recipes.reid.losses import NO_LABEL
from mot_dinov3.training.recipes.reid.pictures import LoadedCrops, load_pixels, normalise
from mot_dinov3.training.recipes.reid.sets import (
    LoadedSearch,
    build_search,
    hold_out,
    load_search_set,
    load_training_set,
)
from mot_dinov3.training.recipes.reid.starting import load_start
from mot_dinov3.training.recipes.reid.ways import NONE
from mot_dinov3.values import IntArray

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.reid.recipe import ReidRecipe

log = logging.getLogger("mot_dinov3")

SAMPLES = 512
"""Pictures whose statistics batch norms begin with, and get again when weights are mixed."""
SYNTHETIC_SHARE = 0.25
"""Made-up pictures in a batch that has any."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a run learns from and is measured on.

    Attributes:
        training: crops of known identities.
        search: what is measured, or None where no identity can be held out.
        synthetic: (S, 3, h, w) uint8 made-up pictures without an identity.
    """

    training: LoadedCrops
    search: LoadedSearch | None
    synthetic: Tensor


def open_data(recipe: ReidRecipe) -> Lesson:
    """Read the pictures.

    Raises:
        InputError: they are not there, or too few.
    """
    training = load_training_set([name for name in recipe.data.split(",") if name], recipe.hw)
    if recipe.val:
        search: LoadedSearch | None = load_search_set(Path(recipe.val), recipe.hw)
    else:
        training, held = hold_out(training, recipe.holdout, recipe.seed)
        search = build_search(held)
    if search is None:
        log.warning(
            "Nothing is measured, and no cosine gate is found: too few identities of two cameras "
            "can be held out. Add --val DIR."
        )
    return Lesson(training, search, read_synthetic(recipe))


def read_synthetic(recipe: ReidRecipe) -> Tensor:
    """(S, 3, h, w) uint8 made-up pictures; none where no folder is given.

    Raises:
        InputError: it has no pictures.
    """
    from mot_dinov3.data.reid.crops import require_pictures

    folder = recipe.synthetic
    pixels, usable = load_pixels(require_pictures(Path(folder)) if folder else [], recipe.hw)
    if folder and not usable.any():
        raise InputError(
            f"None of the pictures in '{folder}' can be read.", fix="Give others with --synthetic."
        )
    return pixels


def build(recipe: ReidRecipe, data: Lesson) -> LearningNetwork:
    """Build the network, its classifier, and itself as it begins."""
    samples = draw_samples(recipe, data.training.pixels)
    classes = len(data.training.crops.names)
    network = begin(recipe, samples)
    kind = MemoryNetwork if recipe.uses_memory else LearningNetwork
    out: LearningNetwork = kind(network, classes, weigh(recipe), samples).to(
        memory_format=torch.channels_last
    )
    if isinstance(out, MemoryNetwork):
        vectors = embed_pixels(network, data.training.pixels)
        out.remember(measure_centroids(vectors, data.training.crops.identity))
    return out


def draw_samples(recipe: ReidRecipe, pixels: Tensor) -> Tensor:
    """(S, 3, h, w) uint8 some of the pictures (N, 3, h, w), whose statistics stand for all."""
    rows = np.random.default_rng(recipe.seed).permutation(len(pixels))[:SAMPLES]
    return pixels[rows]


def begin(recipe: ReidRecipe, samples: Tensor) -> ReidNetwork:
    """Build the network with the weights that it begins with.

    Args:
        recipe: says which.
        samples: (S, 3, h, w) uint8 pictures like those that it will see.
    """
    network = create_network(recipe.backbone)
    load_start(network, recipe.backbone, recipe.init)
    if recipe.init.lower().endswith(".onnx"):
        restore_statistics(network, map(normalise, samples.split(64)))
    if recipe.renorm:
        renormalise(network)
    return network


def weigh(recipe: ReidRecipe) -> Weighting:
    """How much each term of the loss counts."""
    keep = recipe.keep if recipe.init != NONE else 0.0
    return Weighting(recipe.margin, recipe.center_weight, recipe.epsilon, keep)


def supply_batches(
    recipe: ReidRecipe, lesson: Lesson, rank: int
) -> BatchSource[tuple[Tensor, Tensor]]:
    """Batches of some identities with as many pictures each, and made-up ones among them."""
    crops, transforms = (
        lesson.training.crops,
        build_transforms(recipe.hw, recipe.erase, recipe.colour),
    )
    extra = round(SYNTHETIC_SHARE * recipe.bs) if len(lesson.synthetic) else 0

    def make(number: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([recipe.seed, 31, number])
        rows = sample_identities(rng, crops.identity, recipe.bs - extra, recipe.instance)
        pixels, labels = lesson.training.pixels[rows], torch.from_numpy(crops.identity[rows])
        if extra:
            made_up = rng.integers(0, len(lesson.synthetic), extra)
            pixels = torch.cat([pixels, lesson.synthetic[made_up]])
            labels = torch.cat([labels, torch.full((extra,), NO_LABEL)])
        return augment(pixels, transforms), labels

    return NumberedBatches(make)


def sample_identities(
    rng: np.random.Generator, identity: IntArray, size: int, each: int
) -> IntArray:
    """(size,) rows: pictures of random identities, `each` of one; repeated where it has fewer.

    The sampler of the metric learning library draws from a generator of its own, which a run that
    is resumed could not go on with bit for bit.

    Args:
        rng: decides.
        identity: (N,) int64; those below 0 are not taken.
        size: rows in all.
        each: rows of an identity.
    """
    shown = np.unique(identity[identity >= 0])
    count = -(-size // each)
    order: list[int] = []
    while len(order) < count:
        order += rng.permutation(shown)[: count - len(order)].tolist()
    return np.concatenate([_draw(rng, identity, who, each) for who in order])[:size]


def _draw(rng: np.random.Generator, identity: IntArray, who: int, each: int) -> IntArray:
    rows = np.flatnonzero(identity == who)
    return rng.choice(rows, each, replace=len(rows) < each)


def assess(recipe: ReidRecipe, model: LearningNetwork, data: Lesson) -> Assessment | None:
    """Measure the network to use, and find its gate."""
    return search_with(blend(model, recipe.blend), data.search) if data.search else None


def search_with(network: ReidNetwork, search: LoadedSearch) -> Assessment:
    """Measure how early identities are found again, and find the gate for their cosines."""
    embedded = EmbeddedSet(search.pictures, embed_pixels(network, search.pixels))
    count = len(search.pictures.query)
    distances = cosine_distances(embedded.vectors[:count], embedded.vectors[count:])
    figures = rank(distances, find_pairs(search.pictures.query, search.pictures.gallery))
    gate = suggest_gate_for(embedded)
    values: Mapping[str, float] = {
        "mAP": figures.mean_ap,
        "rank-1": figures.rank1,
        "mINP": figures.mean_inp,
        "gate splits": gate.splits,
        "gate merges": gate.merges,
    }
    return Assessment(values, best="mAP", thresholds={GATE: round(gate.cosine, 4)})
