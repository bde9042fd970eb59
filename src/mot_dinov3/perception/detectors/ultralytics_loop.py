"""Models whose answers only Ultralytics can read, run by its own prediction loop."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.backends.problems import reason
from mot_dinov3.perception.detectors.checkpoint import Checkpoint
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.perception.detectors.decode import NMS_IOU, clean_detections
from mot_dinov3.perception.detectors.ultralytics_setup import preserve_threads
from mot_dinov3.perception.detectors.weights import device_problem
from mot_dinov3.runtime.interruption import LongWork
from mot_dinov3.values import Detections, Frame, Image


class UltralyticsDetector:
    """Detects with any Ultralytics model that gives upright boxes: RT-DETR, TensorRT, and so on."""

    names: Mapping[int, str]
    title: str
    repeated = ""
    has_memory = False

    def __init__(
        self, config: DetectorConfig, path: Path, device: str = "cpu", *, half: bool = False
    ) -> None:
        """Load a checked file; nothing in it is run.

        Raises:
            ModelError: the weights are damaged, unsafe, or of a task without boxes.
            DeviceError: the device is missing or full.
            UsageError: a class is unknown.
        """
        checkpoint = Checkpoint(path, device)
        self._model, self.names = checkpoint.model, checkpoint.about.names
        self._path, self._device = path, device
        self._has_run = False
        self._work = LongWork(path.name)
        precision = " fp16" if half else ""
        self.title = f"{path.name} {config.imgsz} px, Ultralytics{precision}, {device}"
        wanted = resolve_classes(config.classes, self.names)
        self._arguments: dict[str, Any] = {
            "conf": config.floor,
            "imgsz": config.imgsz,
            "iou": NMS_IOU,
            "agnostic_nms": True,
            "classes": None if wanted is None else sorted(wanted),
            "device": device,
            "verbose": False,
            **(_half_argument() if half else {}),
        }

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the weights."""
        return weights_digest(self._path)

    def warm_up(self, width: int, height: int) -> None:
        """Run once on an empty picture of that size, so that the first frame is not slow."""
        self._predict(np.zeros((height, width, 3), np.uint8))

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame; boxes that are not finite or have no area are dropped.

        Raises:
            DeviceError: the device ran out of memory.
        """
        boxes = self._predict(frame.image).boxes
        if boxes is None or not len(boxes):
            return Detections.empty()
        table = boxes.data.cpu().numpy()
        return clean_detections(table[:, :4], table[:, -2], table[:, -1].astype(np.int64))

    def _predict(self, image: Image) -> Any:  # noqa: ANN401 - no type stubs
        try:
            with preserve_threads(), self._work:
                result = self._model.predict(image, **self._arguments)[0]
        except Exception as error:
            problem = device_problem(error, self._device)
            if problem is None and self._has_run:
                raise
            raise problem or self._does_not_run(error) from error
        self._has_run = True
        return result

    def _does_not_run(self, error: Exception) -> ModelError:
        return ModelError(
            f"'{self.title}' does not run as a detector: {reason(error)}.",
            fix="Use a model that Ultralytics made for detection, with the --imgsz of its export.",
        )


def _half_argument() -> dict[str, Any]:
    from ultralytics.utils import DEFAULT_CFG_DICT

    return {"quantize": 16} if "quantize" in DEFAULT_CFG_DICT else {"half": True}
