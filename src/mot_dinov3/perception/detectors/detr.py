"""`--det detr:RUN`: a detector that `train detector` made, run by whatever backend is fastest."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mot_dinov3.config import AUTO, DetectorConfig, DeviceConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.backends.choice import INT8, Choice, choose_backend, read_half
from mot_dinov3.perception.detectors.base import DetectorKind
from mot_dinov3.perception.detectors.detr_source import DetrSource
from mot_dinov3.perception.detectors.yolo import YoloDetector
from mot_dinov3.values import FloatArray, Image
from mot_dinov3.values.boxes import clip

logger = logging.getLogger("mot_dinov3")

CONF_TOLERANCE = 0.05


def load_detr(
    argument: str, config: DetectorConfig, device: str, settings: DeviceConfig
) -> DetrDetector:
    """Load what `train detector` left behind: `argument` is the folder of a run.

    Pictures are as large as those that it learned from, where `--imgsz` is not given.

    Raises:
        ModelError: there is no such checkpoint, it is damaged, or its backbone cannot be loaded.
        DeviceError: it does not fit on the device, or the device is too old for the precision.
        UsageError: a class is unknown, or the flags contradict each other.
    """
    source = DetrSource(Path(argument).expanduser(), choose(device, settings), device, settings)
    usual = DetectorConfig()
    if config.imgsz == usual.imgsz:
        config = replace(config, imgsz=source.longest_px)
    if config.conf == usual.conf and abs(source.best_conf - usual.conf) > CONF_TOLERANCE:
        logger.warning(
            "'%s' tells objects from errors best at --conf %.2f, and %.2f is used.",
            *(source.name, source.best_conf, config.conf),
        )
    return DetrDetector(config, source)


DETR = DetectorKind(load_detr, argument="RUN")


def choose(device: str, settings: DeviceConfig) -> Choice:
    """Backend and precision: float32 on a CPU, as bf16 tells 256 places along a side apart.

    Raises:
        UsageError, DeviceError, ModelError: see `choose_backend`.
    """
    if settings.precision == INT8:
        raise UsageError(
            "--precision int8 does not run with a detector of --det detr.",
            fix="Choose --precision auto.",
        )
    older = read_half(settings, device)
    exact = settings.precision == AUTO and not device.startswith("cuda")
    wanted = replace(settings, precision="fp32") if exact else settings
    return choose_backend(wanted, device, older)


class DetrDetector(YoloDetector):
    """Detects with a detection transformer; its backbone also looks at crops.

    Args:
        config: confidence, input size and classes.
        source: gives the networks.

    Raises:
        UsageError: a class is unknown.
    """

    def __init__(self, config: DetectorConfig, source: DetrSource) -> None:
        super().__init__(config, source)
        self._crops = source
        self.probe = source.probe

    def look_closer(self, image: Image, xyxy: FloatArray) -> tuple[FloatArray, ...]:
        """The backbone's maps of crops; see `base.CloserLook`."""
        size = self._crops.crop_size
        height, width = image.shape[:2]
        bounds = clip(xyxy, width, height)
        low, high = np.floor(bounds[:, :2]).astype(int), np.ceil(bounds[:, 2:]).astype(int)
        crops = [
            cv2.resize(image[y1:y2, x1:x2], size[::-1], interpolation=cv2.INTER_LINEAR)
            for (x1, y1), (x2, y2) in zip(low.tolist(), high.tolist(), strict=True)
        ]
        return self._crops.crop_network(cv2.dnn.blobFromImages(crops, 1 / 255, swapRB=True))
