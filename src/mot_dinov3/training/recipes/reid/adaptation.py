"""Learning from pictures without labels: clusters stand in for identities, and are found anew.

Pictures are clustered by their shared neighbours, the network learns the clusters, and what it
then says clusters them better (Dai et al. 2021, "Cluster contrast for unsupervised person
re-identification", https://arxiv.org/abs/2103.11568). Tracklets say more than pictures: one shows
one object, and two that a camera shows at once are two objects.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mot_dinov3.data.reid.crops import Crops, read_crops
from mot_dinov3.data.reid.tracklets import find_cannot_links
from mot_dinov3.errors import InputError, ModelError, UsageError
from mot_dinov3.evaluation.reid.cameras import normalise_cameras
from mot_dinov3.evaluation.reid.gate import suggest_gate
from mot_dinov3.perception.features.gates import GATE
from mot_dinov3.training.processes import are_launched
from mot_dinov3.training.recipes.base import Assessment, BatchSource
from mot_dinov3.training.recipes.reid import supervised
from mot_dinov3.training.recipes.reid.augment import augment, build_transforms
from mot_dinov3.training.recipes.reid.clusters import (
    cluster_pictures,
    cluster_tracklets,
    measure_centroids,
)
from mot_dinov3.training.recipes.reid.learning import (
    LearningNetwork,
    MemoryNetwork,
    blend,
    embed_pixels,
)
from mot_dinov3.training.recipes.reid.pictures import LoadedCrops
from mot_dinov3.training.recipes.reid.sets import LoadedSearch, load_search_set, read_pictures
from mot_dinov3.values import FloatArray, IntArray

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.reid.recipe import ReidRecipe

log = logging.getLogger("mot_dinov3")


@dataclass(slots=True)
class Unlabelled:
    """Pictures without labels, and the network that clusters them.

    Attributes:
        training: the pictures; their identities are tracklets or mean nothing.
        search: what is measured, or None.
        network: what learns; the recipe's `build` puts it here, and the batches cluster with it.
    """

    training: LoadedCrops
    search: LoadedSearch | None
    network: MemoryNetwork | None = None


def open_data(recipe: ReidRecipe) -> Unlabelled:
    """Read the pictures.

    Raises:
        InputError: they are not there, or cannot be read.
        UsageError: the run would be measured on what it learns from, or in several processes,
            whose clusters would not be the same.
    """
    if are_launched():
        raise UsageError("--continual learns in one process.", fix="Leave --processes out.")
    crops = read_crops(Path(recipe.unlabeled))
    if recipe.val:
        refuse_transductive(crops, recipe)
    search = load_search_set(Path(recipe.val), recipe.hw) if recipe.val else None
    return Unlabelled(read_pictures(crops, recipe.hw), search)


def refuse_transductive(crops: Crops, recipe: ReidRecipe) -> None:
    """Refuse pictures that the run is measured on: its figures would say nothing of others.

    Raises:
        UsageError: a picture is in both.
    """
    from mot_dinov3.data.reid.market import read_search_set

    found = read_search_set(Path(recipe.val))
    tested = {path.resolve() for path in (*found.query.paths, *found.gallery.paths)}
    both = sum(path.resolve() in tested for path in crops.paths)
    if both:
        raise UsageError(
            f"{both} of the {len(crops)} pictures of --unlabeled '{recipe.unlabeled}' are in "
            f"--val '{recipe.val}', too: figures on pictures that were learned from say nothing.",
            fix="Give other pictures with --unlabeled, such as a bounding_box_train.",
        )


def build(recipe: ReidRecipe, data: Unlabelled) -> LearningNetwork:
    """Build the network with the weights that it begins with, and hand it to the batches."""
    samples = supervised.draw_samples(recipe, data.training.pixels)
    out: MemoryNetwork = MemoryNetwork(
        supervised.begin(recipe, samples),
        len(data.training.crops),
        supervised.weigh(recipe),
        samples,
    ).to(memory_format=torch.channels_last)
    data.network = out
    return out


def supply_batches(
    recipe: ReidRecipe, data: Unlabelled, rank: int
) -> BatchSource[tuple[Tensor, Tensor]]:
    """Batches of some clusters with as many pictures each."""
    return ClusteredBatches(recipe, data)


class ClusteredBatches:
    """Batches by clusters, which the network as it is finds anew every `--round` steps."""

    def __init__(self, recipe: ReidRecipe, data: Unlabelled) -> None:
        self._recipe, self._data = recipe, data
        self._labels: IntArray = np.full(len(data.training.crops), -1, np.int64)
        self._transforms = build_transforms(recipe.hw, recipe.erase, recipe.colour)

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        """The next step's pictures and the numbers of their clusters."""
        recipe = self._recipe
        if number % (recipe.round * recipe.accumulate) == 0:
            self._find_clusters(number)
        rng = np.random.default_rng([recipe.seed, 37, number])
        rows = supervised.sample_identities(rng, self._labels, recipe.bs, recipe.instance)
        pixels = augment(self._data.training.pixels[rows], self._transforms)
        return pixels, torch.from_numpy(self._labels[rows])

    def _find_clusters(self, number: int) -> None:
        network = self._data.network
        if network is None:
            raise RuntimeError("batches were asked for before the network was built")
        vectors = embed_pixels(network.network, self._data.training.pixels)
        try:
            self._labels = find_clusters(self._recipe, self._data.training.crops, vectors)
        except ModelError as error:
            if (self._labels < 0).all():
                raise
            log.warning("%s The clusters of the last round stay.", error.what)
            return
        if self._recipe.shuffle_labels:
            self._labels = np.random.default_rng(number).permutation(self._labels)
        log.info("%d clusters at step %d.", self._labels.max() + 1, number)
        network.remember(measure_centroids(vectors, self._labels))

    def state_dict(self) -> dict[str, Any]:
        """The clusters; what follows from the number alone is left out."""
        return {"labels": torch.from_numpy(self._labels)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the clusters of a state."""
        self._labels = np.asarray(state["labels"].numpy(), np.int64)


def find_clusters(recipe: ReidRecipe, crops: Crops, vectors: FloatArray) -> IntArray:
    """(N,) number of the cluster of each picture, from 0; -1 for pictures of none.

    Raises:
        ModelError: fewer than two clusters were found.
    """
    plain = normalise_cameras(vectors, crops.camera)
    if recipe.tracklets:
        return cluster_tracklets(crops, plain)
    return cluster_pictures(plain, crops.camera, recipe.eps)


def assess(recipe: ReidRecipe, model: LearningNetwork, data: Unlabelled) -> Assessment | None:
    """Measure on `--val` where there is one; the gate comes from the clusters all the same.

    Without clusters there is no gate, but the network is kept.
    """
    network = blend(model, recipe.blend)
    found = supervised.search_with(network, data.search) if data.search else None
    vectors = embed_pixels(network, data.training.pixels)
    values = {**(found.values if found else {}), "clusters": 0.0, "clustered": 0.0}
    best = "mAP" if found else "clustered"
    try:
        crops = data.training.crops
        labels = find_clusters(recipe, crops, vectors)
        gate = suggest_gate(*split_cosines(crops, vectors, labels, tracklets=recipe.tracklets))
    except (ModelError, InputError):
        return Assessment(values, best)
    values |= {"clusters": float(labels.max() + 1), "clustered": float((labels >= 0).mean())}
    values |= {"gate splits": gate.splits, "gate merges": gate.merges}
    return Assessment(values, best, thresholds={GATE: round(gate.cosine, 4)})


def split_cosines(
    crops: Crops, vectors: FloatArray, labels: IntArray, *, tracklets: bool
) -> tuple[FloatArray, FloatArray]:
    """Cosines of pictures of one object, and of different ones.

    Clusters of pictures say which are which. Tracklets know better: pictures of one, and of those
    that were joined with it, are of one object; those of two that a camera saw at once are not.
    Nothing is said of the rest, as clusters may have missed that two are one.
    """
    cosines = vectors @ vectors.T
    known = labels >= 0
    pairs = np.triu(known[:, None] & known, 1)
    same = labels[:, None] == labels
    if not tracklets:
        return cosines[pairs & same], cosines[pairs & ~same]
    strangers = np.zeros((int(crops.identity.max()) + 1,) * 2, np.bool_)
    links = find_cannot_links(crops)
    strangers[links[:, 0], links[:, 1]] = strangers[links[:, 1], links[:, 0]] = True
    return cosines[pairs & same], cosines[pairs & strangers[crops.identity][:, crops.identity]]
