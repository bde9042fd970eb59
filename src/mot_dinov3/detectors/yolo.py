"""Any YOLO that gives upright boxes, run directly by whatever backend is fastest here."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from mot_dinov3.backends.base import Network
from mot_dinov3.config import DetectorConfig
from mot_dinov3.detectors.classes import resolve_classes
from mot_dinov3.detectors.decode import best_boxes, clean_detections, final_boxes
from mot_dinov3.detectors.letterbox import fit, input_size, letterbox
from mot_dinov3.detectors.networks import NetworkSource
from mot_dinov3.errors import ModelError
from mot_dinov3.structures import Detections, FloatArray, Frame, Image, IntArray

logger = logging.getLogger("mot_dinov3")

MOST_NETWORKS = 4
"""Networks for so many input sizes stay loaded; a source rarely shows more than one."""


class YoloDetector:
    """Detects with a YOLO network whose input has the shape of the picture.

    The picture's size is known only when the first one comes, so the network for it is loaded,
    or exported, at `warm_up` or at the first picture of another size.

    Args:
        config: confidence, input size and classes.
        source: gives the network for a size.

    Raises:
        UsageError: a class is unknown.
    """

    names: Mapping[int, str]

    def __init__(self, config: DetectorConfig, source: NetworkSource) -> None:
        self.names = source.about.names
        self._source = source
        self._about = source.about
        self._floor, self._longest = config.floor, config.imgsz
        self._wanted = resolve_classes(config.classes, self.names)
        self._networks: dict[tuple[int, int], Network] = {}
        self._size = source.fixed_size()

    @property
    def title(self) -> str:
        """Model, input size as far as it is known, backend, precision, device."""
        size = f"{self._size[1]}x{self._size[0]}" if self._size else f"{self._longest}"
        source = self._source
        return f"{source.name} {size} px, {source.choice.title}, {source.device}"

    def warm_up(self, width: int, height: int) -> None:
        """Load the network for pictures of that size, and run it once.

        Raises:
            ModelError, DeviceError: it cannot be exported, or does not run.
        """
        self._find(np.zeros((height, width, 3), np.uint8))

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame; boxes that are not finite or have no area are dropped.

        Raises:
            ModelError, DeviceError: the network fails, or the device is full.
        """
        return self._find(frame.image)

    def _find(self, image: Image) -> Detections:
        source = image.shape[1], image.shape[0]
        size = self._source.fixed_size() or input_size(source, self._longest, self._about.stride)
        how = fit(source, size)
        answer = self._network(size)(letterbox(image, how))[0]
        xyxy, score, class_id = self._boxes(answer)
        return clean_detections(how.back(xyxy), score, class_id)

    def _boxes(self, answer: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
        if answer.ndim != 3 or len(answer) != 1:
            raise ModelError(
                f"'{self._source.name}' answers one picture with shape {answer.shape}.",
                fix="Use a model that Ultralytics exported for detection, with batch=1.",
            )
        if self._about.final or answer.shape[2] == 6:
            return final_boxes(answer[0], self._floor, self._wanted)
        return best_boxes(answer[0], len(self.names), self._floor, self._wanted)

    def _network(self, size: tuple[int, int]) -> Network:
        """The network for an input size; the oldest one goes when there are too many."""
        if size not in self._networks:
            if len(self._networks) >= MOST_NETWORKS:
                del self._networks[next(iter(self._networks))]
            self._networks[size] = self._source.network(size)
            self._size = size
            logger.info("detector: %s", self.title)
        return self._networks[size]
