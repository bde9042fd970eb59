"""Loads Ultralytics models: finds the file, and chooses the backend and the loop."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from mot_dinov3.config import AUTO, DetectorConfig, DeviceConfig
from mot_dinov3.errors import ModelError, UsageError, not_installed
from mot_dinov3.perception.backends.cache import export_place
from mot_dinov3.perception.backends.choice import (
    INT8,
    ONNX,
    OPENVINO,
    TENSORRT,
    TORCH,
    Choice,
    choose_backend,
    choose_with_int8,
    read_half,
)
from mot_dinov3.perception.detectors.base import Detector, DetectorKind
from mot_dinov3.perception.detectors.networks import (
    QUANTIZER,
    ExportingSource,
    NetworkSource,
    ReadySource,
    TorchSource,
)
from mot_dinov3.perception.detectors.weights import find_weights
from mot_dinov3.perception.detectors.yolo import YoloDetector
from mot_dinov3.wording import program

logger = logging.getLogger("mot_dinov3")

READY = {".onnx": (ONNX, OPENVINO, TENSORRT), ".xml": (OPENVINO,), "_openvino_model": (OPENVINO,)}
"""How the name of an export ends -> the backends that run it directly."""
ENGINE = ".engine"
"""Of TensorRT, made for one kind of card; Ultralytics' own loop runs it."""


def load_yolo(
    argument: str, config: DetectorConfig, device: str, settings: DeviceConfig
) -> Detector:
    """Load an Ultralytics model: `argument` is an official name, a weights file, or an export.

    Raises:
        ModelError: the weights are missing, damaged, unsafe, or of a task without boxes; or the
            backend asked for is not installed.
        DeviceError: the device is missing, full, or too old for the precision.
        UsageError: a class is unknown, or the flags contradict each other.
    """
    read_half(settings, device)
    path = find_weights(argument)
    if path.suffix == ENGINE:
        _require_tensorrt(path, device)
    ending = next((ending for ending in READY if path.name.endswith(ending)), "")
    if ending:
        source: NetworkSource | None = _source_of_export(path, READY[ending], device, settings)
    else:
        source = _source_of_weights(config, path, device, settings)
    if source is not None and source.about.plain:
        return YoloDetector(config, source)
    return _load_by_ultralytics(config, path, device, settings)


def load_demo(
    argument: str, config: DetectorConfig, device: str, settings: DeviceConfig
) -> Detector:
    """Load the small detector whose weights are part of the package.

    Raises:
        ModelError: the package lacks its weights.
    """
    from mot_dinov3.perception.assets import demo_detector_path

    path = demo_detector_path()
    if not path.is_file():
        raise ModelError(
            "The demo detector's weights are not in this installation.",
            fix=f"Install the package again, or make them: {program()} train demo",
        )
    return load_yolo(str(path), config, device, settings)


YOLO = DetectorKind(load_yolo, argument="MODEL")
DEMO_YOLO = DetectorKind(load_demo)


def _source_of_weights(
    config: DetectorConfig, path: Path, device: str, settings: DeviceConfig
) -> NetworkSource | None:
    if path.suffix != ".pt":
        return None
    choice = _choose_for_weights(device, settings)
    if choice.backend == TORCH:
        from mot_dinov3.perception.detectors.checkpoint import Checkpoint

        return TorchSource(Checkpoint(path, device), choice, device, config.floor)
    return ExportingSource(path, choice, device, export_place(settings))


def _choose_for_weights(device: str, settings: DeviceConfig) -> Choice:
    """Backend and precision for weights; fp16 and int8 only where they are not slower."""
    choice = choose_with_int8(
        settings, device, read_half(settings, device), of="a detector", by=OPENVINO
    )
    if (choice.precision, device) == ("fp16", "cpu"):
        raise UsageError(
            "--precision fp16 of a detector needs a GPU: a CPU takes seconds for a frame.",
            fix="Choose --precision auto.",
        )
    if choice.precision == INT8 and find_spec(QUANTIZER) is None:
        raise not_installed(QUANTIZER, "int8", "--precision int8")
    return choice


def _source_of_export(
    path: Path, able: tuple[str, ...], device: str, settings: DeviceConfig
) -> ReadySource:
    if able == (OPENVINO,) and device != "cpu":
        logger.warning("OpenVINO runs '%s' on the CPU, not on %s.", path.name, device)
        device = "cpu"
    choice = choose_backend(settings, device, read_half(settings, device), able=able, ready=True)
    return ReadySource(path, choice, device, export_place(settings))


def _require_tensorrt(path: Path, device: str) -> None:
    """Refuse a finished engine where nothing can run it.

    Raises:
        ModelError: TensorRT is not installed, or the models run on another kind of device.
    """
    instead = "Give --det the .pt or .onnx file that it was made from"
    if find_spec("tensorrt") is None:
        raise ModelError(
            f"'{path.name}' is an engine of TensorRT, which is not installed here.",
            fix=f"{instead}, or install TensorRT.",
        )
    if not device.startswith("cuda"):
        raise ModelError(
            f"'{path.name}' is an engine of TensorRT, which does not run on {device}.",
            fix=f"{instead}, or name a GPU with --device.",
        )


def _load_by_ultralytics(
    config: DetectorConfig, path: Path, device: str, settings: DeviceConfig
) -> Detector:
    able = (AUTO, TENSORRT if path.suffix == ENGINE else TORCH)
    if settings.backend not in able:
        raise UsageError(
            f"--backend {settings.backend} cannot run '{path.name}': only Ultralytics can.",
            fix=f"Choose --backend {AUTO}.",
        )
    from mot_dinov3.perception.detectors.ultralytics_loop import UltralyticsDetector

    choice = choose_backend(replace(settings, backend=TORCH), device, read_half(settings, device))
    half = choice.precision == "fp16" and device.startswith("cuda")
    if settings.precision not in (AUTO, "fp16" if half else "fp32"):
        raise UsageError(
            f"'{path.name}' runs in Ultralytics' own loop, which has no {settings.precision} here.",
            fix="Choose --precision auto.",
        )
    return UltralyticsDetector(config, path, device, half=half)
