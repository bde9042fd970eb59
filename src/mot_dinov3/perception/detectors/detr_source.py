"""Where the networks of a detection transformer come from: one in torch, or exports by size."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.config import BACKEND_TITLES, DetectorConfig, DeviceConfig
from mot_dinov3.io.checkpoint import find_checkpoint
from mot_dinov3.perception.backends.base import Network
from mot_dinov3.perception.backends.cache import ExportKey, export_place
from mot_dinov3.perception.backends.choice import TORCH, Choice
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.backends.load import load_network, open_export
from mot_dinov3.perception.detectors import detr_networks
from mot_dinov3.perception.detectors.about import About

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger("mot_dinov3")

CONF = "conf"
"""The threshold in a checkpoint."""
EXPORTERS = ("torch", "transformers")
"""Packages that take part in the export of a network."""
CROP_STRIDES = 4, 2
"""Height and width of a crop, in strides of the network."""
BOXES, BOXES_AND_MAPS, CROPS = "boxes", "boxes and maps", "crops"
"""What a network is for."""


class DetrSource:
    """A checkpoint that torch runs as it is, or that is exported once per input size.

    Args:
        path: the folder of a run or of a checkpoint.
        choice: backend and precision.
        device: torch device string.
        settings: say where exports are kept.

    Attributes:
        best_conf: the confidence that parted objects from errors best on the pictures of `val`.
        longest_px: the longer side of the pictures that it learned from.
        probe: (C,) float32, tells its backbone from others.

    Raises:
        ModelError: the checkpoint or its backbone cannot be used.
    """

    selects = False

    def __init__(self, path: Path, choice: Choice, device: str, settings: DeviceConfig) -> None:
        self.name, self.path = path.name, find_checkpoint(path)
        self.choice, self.device = choice, device
        self._exports = export_place(settings)
        self._network, checkpoint = detr_networks.load_network(path)
        self._mean, self._std = checkpoint.config.mean, checkpoint.config.std
        self.probe = np.asarray(checkpoint.weights[detr_networks.PROBE], np.float32)
        self.longest_px = int(checkpoint.config.sizes["longest_px"])
        usual = DetectorConfig().conf
        self.best_conf = float(checkpoint.config.thresholds.get(CONF, usual))
        names = dict(enumerate(checkpoint.config.classes))
        stride = detr_networks.find_stride(self._network)
        self.about = About(names, "detect", stride=stride, final=True, repeats=True)
        self._use = BOXES
        self._placed: Network | None = None

    def get_fixed_size(self) -> None:
        """Any size will do."""
        return

    def keep_neck(self) -> bool:
        """Let networks that are loaded from now on answer with the backbone's maps, too."""
        self._use, self._placed = BOXES_AND_MAPS, None
        return True

    def network(self, size: tuple[int, int]) -> Network:
        """The network for a size; torch has one for all.

        Raises:
            ModelError: it cannot be exported or does not run.
        """
        if self.choice.backend != TORCH:
            return self._export(self._use, size)
        if self._placed is None:
            self._placed = self._run(self._use)
        return self._placed

    @property
    def crop_size(self) -> tuple[int, int]:
        """Height and width of the crops that the backbone looks at."""
        step = self.about.stride
        return CROP_STRIDES[0] * step, CROP_STRIDES[1] * step

    @cached_property
    def crop_network(self) -> Network:
        """The backbone alone, for crops.

        Raises:
            ModelError: it cannot be exported or does not run.
        """
        if self.choice.backend != TORCH:
            return self._export(CROPS, self.crop_size)
        return self._run(CROPS)

    def _run(self, use: str) -> Network:
        from mot_dinov3.perception.backends.torch import TorchNetwork, TorchSettings

        how = TorchSettings(one_size=use != CROPS)
        return TorchNetwork(self._build(use), self.choice, self.device, self.name, how)

    def _build(self, use: str) -> nn.Module:
        from mot_dinov3.nets.detr.answering import AnsweringDetr, BackboneAlone

        if use == CROPS:
            return BackboneAlone(self._network, self._mean, self._std)
        maps = use == BOXES_AND_MAPS
        return AnsweringDetr(self._network, self._mean, self._std, shows_maps=maps)

    def _export(self, use: str, size: tuple[int, int]) -> Network:
        digest = weights_digest(self.path)
        key = ExportKey(self.name, digest, self.choice, size, variant=use, exporters=EXPORTERS)

        def write(path: Path) -> None:
            from mot_dinov3.perception.features.exporting import export

            title, pixels = BACKEND_TITLES[self.choice.backend], f"{size[1]}x{size[0]}"
            message = "Exporting '%s' to %s for %s px, to be kept for later runs."
            logger.warning(message, self.name, title, pixels)
            export(self._build(use), size, key, path)

        with open_export(key, write, self._exports) as path:
            return load_network(path, self.choice, self.device, place=self._exports)
