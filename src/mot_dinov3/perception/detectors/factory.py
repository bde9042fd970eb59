"""Which detector `--det` means; a new one is one file and one line here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.registry import Registry, check_argument

if TYPE_CHECKING:
    from mot_dinov3.perception.detectors.base import Detector, DetectorKind

ULTRALYTICS = "yolo"
"""The detector of every `--det` that names no other one."""

DETECTORS = Registry(
    "detector",
    {
        "mot": (
            "mot_dinov3.perception.detectors.mot_file:MOT_FILE",
            "boxes from a MOT text file: mot:FILE",
        ),
        "drawn": (
            "mot_dinov3.perception.detectors.drawn:DRAWN",
            "boxes of a drawn world with the errors of a real detector: drawn:NAME[:SEED]",
        ),
        "motion": (
            "mot_dinov3.perception.detectors.motion:MOTION",
            "whatever moves before a fixed camera; needs no weights",
        ),
        "demo": (
            "mot_dinov3.perception.detectors.loading:DEMO_YOLO",
            "the small detector in the package, for the drawn street",
        ),
        "detr": (
            "mot_dinov3.perception.detectors.detr:DETR",
            "a detector that `train detector` made: detr:RUN",
        ),
        "hf": (
            "mot_dinov3.perception.detectors.hf:HF",
            "a detector of transformers, such as RT-DETR, as a directory or by hub id: hf:MODEL",
        ),
        ULTRALYTICS: (
            "mot_dinov3.perception.detectors.loading:YOLO",
            "an Ultralytics model, by official name or as a file: yolo:MODEL, or MODEL alone",
        ),
    },
)
"""Every entry is a `DetectorKind`."""


def split_det(det: str) -> tuple[str, str]:
    """The entry of `DETECTORS` that a `--det` value names, and what follows its name.

    `NAME` and `NAME:ARGUMENT` mean an entry. Everything else, such as an official name, a path or
    `C:/best.pt`, is the argument of `ULTRALYTICS`. A file that is called like an entry is given
    with its directory: `./motion`.
    """
    name, _, argument = det.partition(":")
    name = name.strip().lower()
    return (name, argument.strip()) if name in DETECTORS else (ULTRALYTICS, det)


def detector_kind(det: str) -> DetectorKind:
    """What is known of the detector of a `--det` value before it is loaded."""
    return cast("DetectorKind", DETECTORS.load(split_det(det)[0]))


def list_named_files(det: str) -> list[Path]:
    """The files that a `--det` value may name."""
    argument = split_det(det)[1]
    return [Path(argument).expanduser()] if argument else []


def create_detector(
    config: DetectorConfig, device: str, settings: DeviceConfig | None = None, source: str = ""
) -> Detector:
    """Build the detector that `config.det` names, weights loaded and ready.

    Args:
        config: the detector's settings.
        device: torch device string, see `device.choose_device`.
        settings: backend and precision; automatic when left out.
        source: what it will look at, for a detector that has to know.

    Raises:
        ModelError, DeviceError, InputError, UsageError: it cannot be built as asked.
    """
    from mot_dinov3.perception.detectors.base import SourceBound  # needs numpy, --help does not

    name, argument = split_det(config.det)
    kind = detector_kind(config.det)
    check_argument("--det", config.det, name, argument, kind.argument)
    detector = kind.load(argument, config, device, settings or DeviceConfig())
    if isinstance(detector, SourceBound):
        detector.attend(source)
    return detector
