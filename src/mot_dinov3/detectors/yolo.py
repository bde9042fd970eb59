"""Any Ultralytics model that gives upright boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mot_dinov3.config import DetectorConfig
from mot_dinov3.detectors.classes import resolve_classes
from mot_dinov3.detectors.ultralytics_setup import import_ultralytics, kept_threads
from mot_dinov3.detectors.weights import find_weights, first_line, load_problem
from mot_dinov3.errors import DeviceError, ModelError, MotError, UsageError
from mot_dinov3.structures import Detections, FloatArray, Frame, Image, IntArray

TASKS_WITH_BOXES = ("detect", "segment", "pose")

NMS_IOU = 0.6
"""Of boxes that overlap more, whatever their classes, only the best stays.

Detectors are scored with 0.7, which leaves a second box on some objects. In tracking each of them
starts an identity of its own, and makes the true one look crowded.
"""


class YoloDetector:
    """Detects with an Ultralytics model: official name, weights file, or export."""

    names: Mapping[int, str]
    title: str

    def __init__(self, config: DetectorConfig, device: str = "cpu", half: bool = False) -> None:
        """Find, check and load the weights; nothing in them is run.

        Raises:
            ModelError: the weights are missing, damaged, unsafe, or of a task without boxes.
            DeviceError: the device is missing or full.
            UsageError: a class is unknown, or half precision was asked for on a CPU.
        """
        if half and not device.startswith("cuda"):
            raise UsageError("--half needs a CUDA device.", fix="Leave --half out.")
        ultralytics = import_ultralytics()
        path = find_weights(config.det)
        self._device = device
        self._has_run = False
        self._model, self.names = self._load(ultralytics, path)
        self.title = f"{path.name} {config.imgsz} px, {device}{' fp16' if half else ''}"
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

    def _load(self, ultralytics: Any, path: Path) -> tuple[Any, dict[int, str]]:  # noqa: ANN401 - no type stubs
        try:
            with kept_threads():
                model = ultralytics.YOLO(str(path.resolve()))
                task, names = model.task, dict(model.names)
        except Exception as error:
            raise device_problem(error, self._device) or load_problem(path, error) from error
        if task not in TASKS_WITH_BOXES or not names:
            raise ModelError(
                f"'{path.name}' is a model for '{task}', which gives no upright boxes.",
                fix="Use a detect, segment or pose model, such as yolov8n.pt.",
            )
        return model, names

    def _predict(self, image: Image) -> Any:  # noqa: ANN401 - no type stubs
        try:
            with kept_threads():
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
            f"'{self.title}' does not run as a detector: {first_line(error)}.",
            fix="Use a model that Ultralytics made for detection, with the --imgsz of its export.",
        )


def demo_detector(config: DetectorConfig, device: str = "cpu", half: bool = False) -> YoloDetector:
    """The small detector whose weights are part of the package.

    Raises:
        ModelError: the package lacks its weights.
    """
    from mot_dinov3.assets import demo_detector_path

    path = demo_detector_path()
    if not path.is_file():
        raise ModelError(
            "The demo detector's weights are not in this installation.",
            fix="Install the package again, or make them: python cli.py train-demo",
        )
    return YoloDetector(replace(config, det=str(path)), device, half)


def clean_detections(xyxy: FloatArray, score: FloatArray, class_id: IntArray) -> Detections:
    """Aligned arrays as `Detections`, without rows that are not finite or have no area."""
    good = np.isfinite(xyxy).all(axis=1) & np.isfinite(score)
    good &= (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
    return Detections(
        np.ascontiguousarray(xyxy[good], np.float32),
        score[good].astype(np.float32).clip(0, 1),
        class_id[good],
    )


def device_problem(error: Exception, device: str) -> MotError | None:
    """The error in words when a device caused it, else None."""
    text = str(error)
    if "out of memory" in text.lower():
        return DeviceError(
            f"{device} ran out of memory while detecting.",
            fix="Try --half, a smaller --imgsz, a smaller model, or --device cpu.",
        )
    if "Invalid CUDA" in text or "CUDA error" in text or "no NVIDIA driver" in text:
        return DeviceError(
            f"The detector cannot use {device}: {text.strip().splitlines()[0][:160]}",
            fix="Use --device cpu, or run: python cli.py doctor",
        )
    return None


def _half_argument() -> dict[str, Any]:
    from ultralytics.utils import DEFAULT_CFG_DICT

    return {"quantize": 16} if "quantize" in DEFAULT_CFG_DICT else {"half": True}
