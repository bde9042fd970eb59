"""What a detector is to the rest of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from mot_dinov3.perception.detectors.neck import Neck
from mot_dinov3.values import Detections, Frame


class Detector(Protocol):
    """Finds objects in frames, one frame at a time and in order.

    Attributes:
        names: class id -> class name; the keys of `Detections.class_id`.
    """

    names: Mapping[int, str]

    @property
    def title(self) -> str:
        """What runs, for the summary, such as "yolov8n.pt 640x384 px, OpenVINO bf16, cpu"."""

    @property
    def has_memory(self) -> bool:
        """Whether what it says of a frame depends on the frames before."""

    def warm_up(self, width: int, height: int) -> None:
        """Run once on an empty picture of that size, so that the first frame is not slow."""

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame, with every score at or above `DetectorConfig.floor`."""


@runtime_checkable
class NeckFeatures(Protocol):
    """A detector that can also hand out the feature maps behind its boxes.

    Ask once, before the first frame; then look after every `detect`::

        if isinstance(detector, NeckFeatures) and detector.keep_neck():
            found = detector.detect(frame)
            finest, *_ = detector.neck.maps          # (channels, h, w) float32
            boxes = detector.neck.cells(found.xyxy, level=0)   # for RoI pooling
    """

    def keep_neck(self) -> bool:
        """Hand out the neck from now on; False where this network has none to give."""

    @property
    def neck(self) -> Neck | None:
        """Of the picture detected in last; None before, and where the network has none to give."""
