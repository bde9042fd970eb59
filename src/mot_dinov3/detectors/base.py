"""What a detector is to the rest of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mot_dinov3.structures import Detections, Frame


class Detector(Protocol):
    """Finds objects in frames, one frame at a time and in order.

    Attributes:
        names: class id -> class name; the keys of `Detections.class_id`.
    """

    names: Mapping[int, str]

    @property
    def title(self) -> str:
        """What runs, for the summary, such as "yolov8n.pt 640x384 px, OpenVINO bf16, cpu"."""

    def warm_up(self, width: int, height: int) -> None:
        """Run once on an empty picture of that size, so that the first frame is not slow."""

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame, with every score at or above `DetectorConfig.floor`."""
