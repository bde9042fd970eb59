"""The maps of a frozen backbone, computed once a picture: the rest of learning is then cheap."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

import torch
from torch import Tensor

from mot_dinov3.nets.detr.network import DetrNetwork
from mot_dinov3.nets.maps.convolutions import Maps
from mot_dinov3.training.recipes.detector.pictures import Sample

RAM, DISK = "ram", "disk"
Key = tuple[int, bool]
"""Number of a picture, and whether it is mirrored."""


class MapCache:
    """Keeps maps as 16-bit numbers, in memory or in a folder that is gone with the cache.

    Args:
        where: `ram` or `disk`; the folder is where the system keeps temporary files.
    """

    def __init__(self, where: str) -> None:
        self._network: DetrNetwork | None = None
        self._kept: dict[Key, Maps | Path] = {}
        self._folder = Path(tempfile.mkdtemp()) if where == DISK else None
        if self._folder is not None:
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def attach(self, network: DetrNetwork) -> None:
        """Compute maps with the backbone of `network`, wherever it is moved to."""
        self._network = network

    def take(self, key: Key, sample: Sample) -> Maps:
        """The maps (C, h, w) of one picture, float32 on the CPU."""
        if key not in self._kept:
            self._kept[key] = self._store(key, self._look(sample))
        kept = self._kept[key]
        maps = torch.load(kept, weights_only=True) if isinstance(kept, Path) else kept
        return tuple(one.float() for one in maps)

    def _look(self, sample: Sample) -> Maps:
        if self._network is None:
            raise RuntimeError("the cache has no network yet")
        device = next(self._network.backbone.parameters()).device
        with torch.no_grad():
            maps = self._network.look(normalise(sample.pixels[None].to(device)))
        return tuple(one[0].half().cpu() for one in maps)

    def _store(self, key: Key, maps: Maps) -> Maps | Path:
        if self._folder is None:
            return maps
        path = Path(self._folder, f"{key[0]}-{int(key[1])}.pt")
        torch.save([*maps], path)
        return path


def normalise(pixels: Tensor) -> Tensor:
    """(B, 3, H, W) RGB in 0..1 -> as ImageNet's networks want it."""
    from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD

    mean, std = (pixels.new_tensor(value).view(3, 1, 1) for value in (IMAGENET_MEAN, IMAGENET_STD))
    return (pixels - mean) / std
