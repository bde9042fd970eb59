"""Which detector `--det` means."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.perception.detectors.base import Detector

REPLAY = "mot"
MOTION = "motion"
ULTRALYTICS = "yolo"
DETECTORS = Registry(
    "detector",
    {
        REPLAY: (
            "mot_dinov3.perception.detectors.mot_file:load_replay",
            "boxes from a MOT text file: mot:FILE",
        ),
        MOTION: (
            "mot_dinov3.perception.detectors.motion:load_motion",
            "whatever moves before a fixed camera; needs no weights",
        ),
        "demo": (
            "mot_dinov3.perception.detectors.loading:load_demo",
            "the small detector in the package, for the drawn street",
        ),
        ULTRALYTICS: (
            "mot_dinov3.perception.detectors.loading:load_yolo",
            "an Ultralytics model, by its official name or as a file of weights",
        ),
    },
)
"""Every entry is called with (config, device, settings), and says that it returns a `Detector`."""
OF_ONE_CLIP = (REPLAY, MOTION)
"""What these know is about one clip: the next one needs a detector of its own."""


def create_detector(
    config: DetectorConfig, device: str, settings: DeviceConfig | None = None
) -> Detector:
    """Build the detector that `config.det` names, weights loaded and ready.

    `mot:FILE` replays a file, `motion` needs no weights, `demo` has its weights in the package;
    everything else is an Ultralytics model, by official name or path.

    Args:
        config: the detector's settings.
        device: torch device string, see `device.choose_device`.
        settings: backend and precision; automatic when left out.

    Raises:
        ModelError, DeviceError, InputError, UsageError: it cannot be built as asked.
    """
    build = DETECTORS.load(detector_kind(config.det))
    return cast("Detector", build(config, device, settings or DeviceConfig()))


def detector_kind(det: str) -> str:
    """The entry of `DETECTORS` behind a `--det` value."""
    prefix = det.partition(":")[0].strip().lower()
    if prefix == REPLAY and ":" in det:
        return REPLAY
    name = det.strip().lower()
    return name if name in (MOTION, "demo") else ULTRALYTICS
