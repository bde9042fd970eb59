"""What a detector learns from and is measured on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from torch import nn
from torchvision.transforms import v2

from mot_dinov3.data.detection.base import DetectionExample, DetectionSet
from mot_dinov3.data.detection.yolo import open_detection_set
from mot_dinov3.errors import InputError
from mot_dinov3.nets.detr.network import DetrNetwork
from mot_dinov3.perception.detectors.detr_networks import STAGES, find_stride
from mot_dinov3.training.map_backbones import start_backbone
from mot_dinov3.training.recipes.detector.caching import MapCache
from mot_dinov3.training.recipes.detector.pictures import (
    Batch,
    Fitting,
    Sample,
    augment,
    build_transforms,
    load_sample,
    mark,
    mirror,
    pad_together,
    stack,
)
from mot_dinov3.training.recipes.detector.recipe import DISK, NOWHERE
from mot_dinov3.values import IntArray
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.detector.recipe import DetectorRecipe

logger = logging.getLogger("mot_dinov3")

PILOT_PICTURES = 10


@dataclass(frozen=True, slots=True)
class Full:
    """How large the data set is, of which a pilot looks at a part."""

    pictures: int
    held_out: int


def open_sets(recipe: DetectorRecipe) -> DetectorData:
    """Read both splits, say what is left out of them, and prepare for the backbone.

    Raises:
        InputError: the data set cannot be used.
    """
    path = Path(recipe.data).expanduser()
    learned, held_out = (open_detection_set(path, split) for split in ("train", "val"))
    for split, found in (("train", learned), ("val", held_out)):
        if found.left_out:
            logger.warning("%s: %s", split, found.left_out.sentence)
        if not any(map(len, found.examples)):
            raise InputError(
                f"No picture of '{split}' in '{path}' has a box that can be used.",
                fix="Give each object a line 'class x y width height' in shares of the picture.",
            )
    crowded = sum(len(one) > recipe.queries for one in learned.examples)
    if crowded:
        most = max(map(len, learned.examples))
        logger.warning(
            "%s more than the %d boxes that --queries allows; the most is %d.",
            counted(crowded, "picture has", "pictures have"),
            recipe.queries,
            most,
        )
    full = Full(len(learned), len(held_out))
    if recipe.pilot:
        learned, held_out = (
            replace(one, examples=one.examples[:PILOT_PICTURES]) for one in (learned, held_out)
        )
    return DetectorData(recipe, learned, held_out, full)


class DetectorData:
    """Draws batches, and knows what the network is measured on.

    Attributes:
        learned: the pictures of `train`.
        held_out: the pictures of `val`.
        full: how many there are without `--pilot`.
        is_pilot: whether this is one.
        pictures_drawn: how many pictures were learned from, some of them several times.
    """

    def __init__(
        self, recipe: DetectorRecipe, learned: DetectionSet, held_out: DetectionSet, full: Full
    ) -> None:
        self.learned, self.held_out, self.full = learned, held_out, full
        self._recipe = recipe
        self._ids = {number: row for row, number in enumerate(sorted(learned.names))}
        self._fitting: Fitting | None = None
        where = recipe.cache_features
        self._cache = None if where == NOWHERE else MapCache(on_disk=where == DISK)
        self._transforms: v2.Transform | None = None if recipe.plain else build_transforms()
        self._unreadable: set[Path] = set()
        self.is_pilot = recipe.pilot
        self.pictures_drawn = 0
        self._began_s = 0.0

    def create_backbone(self) -> nn.Module:
        """The backbone that the recipe names."""
        return start_backbone(self._recipe.backbone, STAGES, self._recipe.layers)

    def attach(self, network: DetrNetwork) -> None:
        """Fit pictures to the strides of this network, and cache its maps."""
        self._fitting = Fitting(self._recipe.imgsz, find_stride(network), self._ids)
        if self._cache is not None:
            self._cache.attach(network)

    @property
    def fitting(self) -> Fitting:
        """How pictures are fitted; known once a network is attached."""
        if self._fitting is None:
            raise RuntimeError("no network is attached yet")
        return self._fitting

    @property
    def seconds_learned(self) -> float:
        """Since the first batch was drawn."""
        return perf_counter() - self._began_s

    def draw_batch(self, number: int, size: int) -> Batch:
        """The batch of a number; every picture comes once an epoch."""
        self._began_s = self._began_s or perf_counter()
        self.pictures_drawn += size
        count = len(self.learned)
        places = np.arange(number * size, (number + 1) * size)
        rows = [
            int(shuffle(count, self._recipe.seed, int(place) // count)[int(place) % count])
            for place in places
        ]
        if self._cache is not None:
            return self._draw_cached(rows, number, self._cache)
        seeds = ([self._recipe.seed, number, place] for place in range(size))
        return stack([self._draw(row, seed) for row, seed in zip(rows, seeds, strict=True)])

    def _draw(self, row: int, seed: Sequence[int]) -> Sample:
        sample = self._load(row)
        return augment(sample, self._transforms, seed) if self._transforms else sample

    def _draw_cached(self, rows: Sequence[int], number: int, cache: MapCache) -> Batch:
        rng = np.random.default_rng([self._recipe.seed, number])
        flips = (rng.random(len(rows)) < 0.5) & (self._transforms is not None)
        looked = [
            cache.take((row, flipped), partial(self._load_turned, row, flipped=flipped))
            for row, flipped in zip(rows, flips.tolist(), strict=True)
        ]
        levels = zip(*(one.maps for one in looked), strict=True)
        return {
            "mask": mark([one.size for one in looked]),
            "labels": [one.labels for one in looked],
            "maps": tuple(pad_together(level) for level in levels),
        }

    def _load_turned(self, row: int, *, flipped: bool) -> Sample:
        return mirror(self._load(row)) if flipped else self._load(row)

    def _load(self, row: int) -> Sample:
        """A picture, or the next one that can be read."""
        examples = self.learned.examples
        for step in range(len(examples)):
            example = examples[(row + step) % len(examples)]
            sample = load_sample(example, self.fitting)
            if sample is not None:
                return sample
            self.note_unreadable(example)
        raise InputError("No picture of 'train' can be read.", fix="Check the data set.")

    def note_unreadable(self, example: DetectionExample) -> None:
        """Say once of a picture that it is left out."""
        if example.picture not in self._unreadable:
            self._unreadable.add(example.picture)
            logger.warning("'%s' cannot be read and is left out.", example.picture)


@lru_cache(maxsize=2)
def shuffle(count: int, seed: int, epoch: int) -> IntArray:
    """(count,) the order of pictures in an epoch."""
    return np.random.default_rng([seed, epoch]).permutation(count)
