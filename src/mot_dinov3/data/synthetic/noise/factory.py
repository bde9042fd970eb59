"""Which detectors' errors are known; another one is one file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.data.synthetic.noise.base import DetectorNoise

NOISES = Registry(
    "noise",
    {
        "acf": (
            "mot_dinov3.data.synthetic.noise.acf:ACF",
            "aggregated channel features: many duplicates and parts",
        ),
        "frcnn": (
            "mot_dinov3.data.synthetic.noise.frcnn:FRCNN",
            "Faster R-CNN of MOT17: much is missed, little is wrong",
        ),
        "yolov8n": (
            "mot_dinov3.data.synthetic.noise.yolov8n:YOLOV8N",
            "YOLOv8n: places of the background that stay",
        ),
    },
)


def load_noise(name: str) -> DetectorNoise:
    """The errors of the detector of that name.

    Raises:
        UnknownNameError: nothing is known of it.
    """
    return cast("DetectorNoise", NOISES.load(name))
