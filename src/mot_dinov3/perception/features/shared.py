"""The backbone of a detection transformer as embedder: one pass for boxes and appearance.

A frozen backbone such as DINOv3 has learned what things look like, not only where they are, so its
maps describe the boxes that were found in them, for the price of one pooling. A box of a few cells
is too small for that: the same backbone looks at its crop.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.base import CloserLook, Detector, Neck
from mot_dinov3.perception.features.base import Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.neck import BINS, NeckEmbedder
from mot_dinov3.perception.features.pooling import pool_boxes
from mot_dinov3.values import BoolArray, FloatArray, Image
from mot_dinov3.values.boxes import area, clip

LEAST_CELLS = 4.0
"""A box that covers fewer cells of the finest map is described by its crop."""


def load_shared(config: EmbedderConfig, place: Placement) -> Embedder:
    """Describe boxes by the backbone of the detector that is loaded already.

    Raises:
        UsageError: there is none, or it is of another kind.
    """
    detector = place.detector
    if detector is None or not isinstance(detector, CloserLook):
        name = "no detector" if detector is None else f"'{detector.title}'"
        raise UsageError(
            f"--embedder {config.embedder} reads the backbone of a detector of `train detector`, "
            f"and {name} looks here.",
            fix="Give --det detr:RUN, or name another --embedder.",
        )
    return SharedEmbedder(detector)


SHARED_BACKBONE = EmbedderKind(load_shared)


class SharedEmbedder(NeckEmbedder):
    """Describes boxes of the picture that the detector saw last, by the maps of its backbone.

    Args:
        detector: finds the boxes, and is a `CloserLook`; loaded.

    Raises:
        UsageError: it has no backbone to give.
    """

    def __init__(self, detector: Detector) -> None:
        super().__init__(detector)
        self._closer = cast("CloserLook", detector)

    @property
    def title(self) -> str:
        """Whose features they are."""
        return f"backbone of {self._detector.title}"

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the detector."""
        return f"backbone of {self._detector.fingerprint}"

    def pool(self, image: Image, xyxy: FloatArray, neck: Neck) -> list[FloatArray]:
        """What each level says of each box, (M, values) float32; small ones by their crops."""
        levels = super().pool(image, xyxy, neck)
        small = find_small(xyxy, neck, image)
        if small.any():
            closer = self._closer.look_closer(image, xyxy[small])
            for found, maps, bins in zip(levels, closer, BINS, strict=False):
                found[small] = [pool_whole(one, bins) for one in maps]
        return levels


def find_small(xyxy: FloatArray, neck: Neck, image: Image) -> BoolArray:
    """(M,) whether a box has an area inside the picture, but covers too few cells."""
    height, width = image.shape[:2]
    inside = clip(np.nan_to_num(xyxy), width, height)
    seen = np.isfinite(xyxy).all(axis=1) & (area(inside) > 0)
    return np.asarray(seen & (area(neck.cells(inside, 0)) < LEAST_CELLS), np.bool_)


def pool_whole(features: FloatArray, bins: tuple[int, int]) -> FloatArray:
    """(values,) a whole map (C, h, w) in bins."""
    height, width = features.shape[1:]
    whole = np.array([[0, 0, width, height]], np.float32)
    found: FloatArray = pool_boxes(features, whole, bins)[0]
    return found
