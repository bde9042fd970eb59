"""The maps of a frozen backbone, computed once a picture: the rest of learning is then cheap."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from mot_dinov3.nets.detr.network import DetrNetwork
from mot_dinov3.nets.maps.convolutions import Maps
from mot_dinov3.training.recipes.detector.pictures import Sample, list_labels

Key = tuple[int, bool]
"""Number of a picture, and whether it is mirrored."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is learned from of a picture whose maps are known; its pixels are not needed any more.

    Attributes:
        maps: (C, h, w) of each level.
        labels: see `pictures.list_labels`.
        size: height and width of the picture in its input.
    """

    maps: Maps
    labels: dict[str, Tensor]
    size: tuple[int, int]


class MapCache:
    """Keeps maps as 16-bit numbers, in memory or in a folder that is gone with the cache.

    Args:
        on_disk: in a folder where the system keeps temporary files.
    """

    def __init__(self, *, on_disk: bool) -> None:
        self._network: DetrNetwork | None = None
        self._kept: dict[Key, Looked | Path] = {}
        self._folder = Path(tempfile.mkdtemp()) if on_disk else None
        if self._folder is not None:
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def attach(self, network: DetrNetwork) -> None:
        """Compute maps with the backbone of `network`, wherever it is moved to."""
        self._network = network

    def take(self, key: Key, load: Callable[[], Sample]) -> Looked:
        """A picture with its maps as float32 on the CPU; `load` reads it the first time."""
        if key not in self._kept:
            self._kept[key] = self._store(key, self._look(load()))
        kept = self._kept[key]
        if isinstance(kept, Path):
            kept = Looked(*torch.load(kept, weights_only=True))
        return replace(kept, maps=tuple(one.float() for one in kept.maps))

    def _look(self, sample: Sample) -> Looked:
        if self._network is None:
            raise RuntimeError("the cache has no network yet")
        device = next(self._network.backbone.parameters()).device
        with torch.no_grad():
            maps = self._network.look(normalise(sample.pixels[None].to(device)))
        short = tuple(one[0].half().cpu() for one in maps)
        return Looked(short, list_labels(sample), sample.size)

    def _store(self, key: Key, looked: Looked) -> Looked | Path:
        if self._folder is None:
            return looked
        path = Path(self._folder, f"{key[0]}-{int(key[1])}.pt")
        torch.save((looked.maps, looked.labels, looked.size), path)
        return path


def normalise(pixels: Tensor) -> Tensor:
    """(B, 3, H, W) RGB in 0..1 -> as ImageNet's networks want it."""
    from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD

    mean, std = (pixels.new_tensor(value).view(3, 1, 1) for value in (IMAGENET_MEAN, IMAGENET_STD))
    return (pixels - mean) / std
