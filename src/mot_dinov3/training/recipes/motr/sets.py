"""What an end-to-end tracker learns from and is measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from mot_dinov3.data.detection.base import DetectionSet
from mot_dinov3.nets.motr.network import MotrNetwork
from mot_dinov3.perception.detectors.detr_networks import STAGES, find_stride
from mot_dinov3.training.map_backbones import start_backbone
from mot_dinov3.training.recipes.detector.pictures import Fitting
from mot_dinov3.training.recipes.motr.clips import ClipMaker, stack_clips
from mot_dinov3.training.recipes.motr.sources import open_sources

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.motr.recipe import MotrRecipe


class MotrData:
    """Draws batches of clips.

    Attributes:
        sources: what they are cut from, and what measures.
        learned: the classes, as the data of a detector has them.
        measures: whether there is a sequence to measure on.
    """

    def __init__(self, recipe: MotrRecipe) -> None:
        """Read what the recipe names.

        Raises:
            UsageError: a name makes no sense.
            InputError: something cannot be used.
        """
        self._recipe = recipe
        self.sources = open_sources(recipe.data, recipe.val, recipe.clip_frames)
        self.learned = DetectionSet(dict(enumerate(self.sources.classes.values())), ())
        self.measures = bool(self.sources.held_out)
        self._maker = ClipMaker(
            self.sources, recipe.clip_frames, recipe.interval, plain=recipe.plain
        )
        self._fitting: Fitting | None = None

    def create_backbone(self) -> nn.Module:
        """The backbone that the recipe names."""
        return start_backbone(self._recipe.backbone, STAGES, self._recipe.layers)

    def attach(self, network: MotrNetwork) -> None:
        """Fit pictures to the strides of this network."""
        ids = {number: number for number in self.sources.numbers}
        self._fitting = Fitting(self._recipe.imgsz, find_stride(network), ids)

    def draw_batch(self, number: int) -> dict[str, Any]:
        """The batch of a number: `moments`, see `clips.stack_clips`."""
        if self._fitting is None:
            raise RuntimeError("no network is attached yet")
        rng = np.random.default_rng([self._recipe.seed, number])
        clips = [self._maker.draw(self._fitting, rng) for _ in range(self._recipe.bs)]
        return {"moments": stack_clips(clips)}
