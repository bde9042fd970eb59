"""`--det detr:RUN`: a detector that `train detector` made, run by whatever backend is fastest."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mot_dinov3.config import AUTO, BACKEND_TITLES, DetectorConfig, DeviceConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.checkpoint import find_checkpoint
from mot_dinov3.perception.backends.base import Network
from mot_dinov3.perception.backends.cache import ExportKey, export_place
from mot_dinov3.perception.backends.choice import TORCH, Choice, choose_backend
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.backends.load import load_network, open_export
from mot_dinov3.perception.detectors import detr_networks
from mot_dinov3.perception.detectors.about import About
from mot_dinov3.perception.detectors.base import DetectorKind
from mot_dinov3.perception.detectors.yolo import YoloDetector

if TYPE_CHECKING:
    from mot_dinov3.nets.detr.network import AnsweringDetr

logger = logging.getLogger("mot_dinov3")

EXPORTERS = ("torch", "transformers")
"""Packages that take part in the export of a network."""


def load_detr(
    argument: str, config: DetectorConfig, device: str, settings: DeviceConfig
) -> YoloDetector:
    """Load what `train detector` left behind: `argument` is the folder of a run.

    Pictures are as large as those that it learned from, where `--imgsz` is not given.

    Raises:
        ModelError: there is no such checkpoint, it is damaged, or its backbone cannot be loaded.
        DeviceError: it does not fit on the device, or the device is too old for the precision.
        UsageError: a class is unknown, or the flags contradict each other.
    """
    source = DetrSource(Path(argument).expanduser(), choose(device, settings), device, settings)
    if config.imgsz == DetectorConfig().imgsz:
        config = replace(config, imgsz=source.longest_px)
    return YoloDetector(config, source)


DETR = DetectorKind(load_detr, argument="RUN")


def choose(device: str, settings: DeviceConfig) -> Choice:
    """Backend and precision: float32 on a CPU, as bf16 tells 256 places along a side apart.

    Raises:
        UsageError, DeviceError, ModelError: see `choose_backend`.
    """
    if settings.precision == "int8":
        raise UsageError(
            "--precision int8 does not run with a detector of --det detr.",
            fix="Choose --precision auto.",
        )
    exact = settings.precision == AUTO and not device.startswith("cuda")
    return choose_backend(replace(settings, precision="fp32") if exact else settings, device)


class DetrSource:
    """A checkpoint that torch runs as it is, or that is exported once per input size.

    Args:
        path: the folder of a run or of a checkpoint.
        choice: backend and precision.
        device: torch device string.
        settings: say where exports are kept.

    Attributes:
        longest_px: the longer side of the pictures that it learned from.

    Raises:
        ModelError: the checkpoint or its backbone cannot be used.
    """

    selects = False

    def __init__(self, path: Path, choice: Choice, device: str, settings: DeviceConfig) -> None:
        self.name, self.path = path.name, find_checkpoint(path)
        self.choice, self.device = choice, device
        self._place = export_place(settings)
        self._network, checkpoint = detr_networks.load_network(path)
        self._mean, self._std = checkpoint.config.mean, checkpoint.config.std
        self.longest_px = int(checkpoint.config.sizes["longest_px"])
        names = dict(enumerate(checkpoint.config.classes))
        stride = detr_networks.find_stride(self._network)
        self.about = About(names, "detect", stride=stride, final=True)
        self._shows_maps = False
        self._placed: Network | None = None

    def get_fixed_size(self) -> None:
        """Any size will do."""
        return

    def keep_neck(self) -> bool:
        """Let networks that are loaded from now on answer with the backbone's maps, too."""
        self._shows_maps, self._placed = True, None
        return True

    def network(self, size: tuple[int, int]) -> Network:
        """The network for a size; torch has one for all.

        Raises:
            ModelError: it cannot be exported or does not run.
        """
        if self.choice.backend != TORCH:
            return self._export(size)
        if self._placed is None:
            from mot_dinov3.perception.backends.torch import TorchNetwork, TorchSettings

            how = TorchSettings(one_size=True)
            self._placed = TorchNetwork(self._build(), self.choice, self.device, self.name, how)
        return self._placed

    def _build(self) -> AnsweringDetr:
        from mot_dinov3.nets.detr.network import AnsweringDetr

        return AnsweringDetr(self._network, self._mean, self._std, shows_maps=self._shows_maps)

    def _export(self, size: tuple[int, int]) -> Network:
        key = ExportKey(
            self.name,
            weights_digest(self.path),
            self.choice,
            size,
            variant="maps" if self._shows_maps else "",
            exporters=EXPORTERS,
        )

        def write(path: Path) -> None:
            from mot_dinov3.perception.features.exporting import export

            title, pixels = BACKEND_TITLES[self.choice.backend], f"{size[1]}x{size[0]}"
            message = "Exporting '%s' to %s for %s px, to be kept for later runs."
            logger.warning(message, self.name, title, pixels)
            export(self._build(), size, key, path)

        with open_export(key, write, self._place) as path:
            return load_network(path, self.choice, self.device, place=self._place)
