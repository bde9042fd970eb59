"""Finds whatever moves before a fixed camera; needs no weights at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.perception.detectors.background import Background, Foreground
from mot_dinov3.perception.detectors.base import BUILT_IN, DetectorKind
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.values import Detections, FloatArray, Frame, Image

MOVING = 0
WORK_WIDTH = 384
"""Pictures are made this wide before anything is computed: noise falls and time is saved."""
MIN_AREA = 0.001
"""Share of the picture that a blob must fill."""
EVIDENCE = 0.1
"""Share of a blob's pixels that must differ in colour, and that must be new edges."""
SURE_AREA = 0.004
"""Share from which a blob's size no longer lowers its score."""
SOLID = 0.5
"""Share of its box that a blob of full score fills; a walking person fills about this much."""
SHADE_GAP_Y = 0.7
"""The same for gaps that are darker than the background: grey cloth before a bright wall."""
GAP_X, GAP_Y = 0.012, 0.05
"""Fragments nearer than this share of the picture's height are one object."""


class Blob(NamedTuple):
    """One object in the small picture."""

    left: int
    top: int
    width: int
    height: int
    pixels: int


class MotionDetector:
    """Background subtraction, cleaned up and gathered into one box per object.

    The score says how much of its box a blob fills, lower for the smallest blobs. Things that
    stop are kept for a minute; shadows and changes of light are left out.
    """

    names: Mapping[int, str]
    title: str
    fingerprint, repeated = BUILT_IN, ""
    has_memory = True

    def __init__(self, config: DetectorConfig) -> None:
        """Start with an unknown background.

        Raises:
            UsageError: `--classes` asks for another class than "moving".
        """
        self.names = {MOVING: "moving"}
        self.title = f"motion before a fixed camera, {WORK_WIDTH} px, cpu"
        self._floor = config.floor
        resolve_classes(config.classes, self.names)
        self._background = Background()

    def warm_up(self, width: int, height: int) -> None:
        """Nothing to load; the background is learned from the first frames themselves."""

    def detect(self, frame: Frame) -> Detections:
        """One box per moving object; none while the background is being learned."""
        view = self._background.compare(shrink(frame.image), frame.time_s)
        if view is None:
            return Detections.empty()
        blobs, objects = find_blobs(view)
        self._background.learn(view, objects)
        if not blobs:
            return Detections.empty()
        table = np.array(blobs, np.float32)
        height, width = objects.shape
        zoom = np.array([frame.width / width, frame.height / height] * 2, np.float32)
        xyxy = np.concatenate((table[:, :2], table[:, :2] + table[:, 2:4]), axis=1) * zoom
        score = blob_score(table, objects.size)
        found = Detections(xyxy, score, np.full(len(blobs), MOVING, np.int64))
        return found[score >= self._floor]


def shrink(image: Image) -> Image:
    """A smoothed copy at most `WORK_WIDTH` wide, proportions kept."""
    height, width = image.shape[:2]
    if width > WORK_WIDTH:
        size = (WORK_WIDTH, max(1, round(height * WORK_WIDTH / width)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(image, (5, 5), 0), np.uint8)


def find_blobs(view: Foreground) -> tuple[list[Blob], Image]:
    """Gather the foreground into objects.

    Fragments of one object (a head over a wall of the same colour, legs apart from the body)
    are joined where the gaps between them are small or only darker than the background; gaps
    above each other may be wider. Specks are left out, and so is what brings no new edges: a
    patch of light, or the hole that something left when it drove away.

    Returns:
        The blobs, and an (H, W) uint8 map of their pixels.
    """
    seen = cv2.bitwise_or(view.solid, view.new_edges)
    seen = cv2.morphologyEx(seen, cv2.MORPH_OPEN, _block(3, 3))
    objects = np.zeros_like(seen)
    height = seen.shape[0]
    joined = cv2.dilate(seen, _block(GAP_X * height, GAP_Y * height))
    bridges = cv2.dilate(seen, _block(GAP_X * height, SHADE_GAP_Y * height))
    joined = cv2.bitwise_or(joined, cv2.bitwise_and(view.shade, bridges))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    blobs = []
    for label in range(1, count):
        left, top, width, tall = (int(value) for value in stats[label, :4])
        window = np.s_[top : top + tall, left : left + width]
        own = cv2.inRange(labels[window], label, label)
        if blob := _blob(own & seen[window], own, view, window):
            blobs.append(blob)
            objects[window] |= own
    return blobs, objects


def _block(width: float, height: float) -> Image:
    """An all-ones kernel of odd size."""
    return np.ones((1 + 2 * int(height / 2), 1 + 2 * int(width / 2)), np.uint8)


def _blob(seen: Image, own: Image, view: Foreground, window: tuple[slice, slice]) -> Blob | None:
    """The blob of the pixels `seen` in a window, or None when it is not an object."""
    pixels = cv2.countNonZero(seen)
    edges = cv2.countNonZero(own & view.new_edges[window])
    solid = cv2.countNonZero(own & view.solid[window])
    if pixels < MIN_AREA * view.solid.size or min(edges, solid) < EVIDENCE * pixels:
        return None
    x, y, width, height = cv2.boundingRect(seen)
    return Blob(window[1].start + x, window[0].start + y, width, height, pixels)


def blob_score(blobs: FloatArray, picture_pixels: int) -> FloatArray:
    """(N,) scores in (0, 1] of (N, 5) blobs: how full the box is, lower when it is tiny."""
    box_area = np.maximum(blobs[:, 2] * blobs[:, 3], 1)
    full = np.minimum(blobs[:, 4] / box_area / SOLID, 1)
    large = np.minimum(blobs[:, 4] / (SURE_AREA * picture_pixels), 1)
    return np.asarray(full * (0.15 + 0.85 * large), np.float32)


def load_motion(
    argument: str, config: DetectorConfig, device: str, settings: DeviceConfig
) -> MotionDetector:
    """Start a detector of motion; it has no weights, and runs on the CPU whatever `device` says.

    Raises:
        UsageError: `--classes` asks for another class than "moving".
    """
    return MotionDetector(config)


MOTION = DetectorKind(load_motion, has_network=False)
