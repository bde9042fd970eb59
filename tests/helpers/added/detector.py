"""A detector that is added by this file and one line of the table: coloured areas.

What follows its name in `--det areas:FILE` is its file of weights.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.detectors.base import DetectorKind
from mot_dinov3.values import Detections

LINE = ("helpers.added.detector:AREAS", "areas of bright colour: areas:FILE")


class AreaDetector:
    """One box per area that is brighter than the weights say; 0.9 sure of each."""

    stops_at = None
    """The frame at which it fails, as if the process had been killed there."""
    built = 0
    """How many were loaded in this process."""

    title = "areas, cpu"
    repeated = ""
    has_memory = False

    def __init__(self, weights):
        AreaDetector.built += 1
        self.names = {0: "area"}
        self._weights = weights
        self._threshold = float(weights.read_text())

    @cached_property
    def fingerprint(self):
        return weights_digest(self._weights)

    def warm_up(self, width, height):
        pass

    def detect(self, frame):
        if frame.index == self.stops_at:
            raise ModelError("The detector of areas has stopped.")
        bright = (frame.image.max(axis=2) > self._threshold).astype(np.uint8)
        stats = cv2.connectedComponentsWithStats(bright)[2][1:]
        boxes = stats[stats[:, 4] >= 30][:, :4].astype(np.float32)
        boxes[:, 2:] += boxes[:, :2]
        return Detections(
            boxes, np.full(len(boxes), 0.9, np.float32), np.zeros(len(boxes), np.int64)
        )


def load_areas(argument, config, device, settings):
    return AreaDetector(Path(argument))


AREAS = DetectorKind(load_areas, argument="FILE")
