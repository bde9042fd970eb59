"""The backbone of a detection transformer as embedder: one pass for boxes and appearance.

A frozen backbone such as DINOv3 has learned what things look like, not only where they are, so its
maps describe the boxes that were found in them, for the price of one pooling. A box of a few cells
is too small for that: the same backbone looks at its crop. `--embed-model` may name a head that
`train reid --shared` taught to tell identities apart by them.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.checkpoint import read_checkpoint_config
from mot_dinov3.perception.detectors.base import CloserLook, Detector, Neck
from mot_dinov3.perception.features.base import GENERAL, Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.exports import resolve_model_name
from mot_dinov3.perception.features.gates import GATE, build_prior
from mot_dinov3.perception.features.neck import BINS, NeckEmbedder
from mot_dinov3.perception.features.pooling import pool_boxes
from mot_dinov3.perception.features.reid_networks import KIND
from mot_dinov3.perception.features.shared_head import SharedHead, load_head
from mot_dinov3.values import BoolArray, FloatArray, Image, SimilarityPrior
from mot_dinov3.values.boxes import area, clip

LEAST_CELLS = 4.0
"""A box that covers fewer cells of the finest map is described by its crop."""


def load_shared(config: EmbedderConfig, place: Placement) -> Embedder:
    """Describe boxes by the backbone of the detector that is loaded already.

    Raises:
        UsageError: there is none, or it is of another kind.
        ModelError: the head that is named is damaged, or belongs to another detector.
    """
    detector = place.detector
    if detector is None or not isinstance(detector, CloserLook):
        name = "no detector" if detector is None else f"'{detector.title}'"
        raise UsageError(
            f"--embedder {config.embedder} reads the backbone of a detector of `train detector`, "
            f"and {name} looks here.",
            fix="Give --det detr:RUN, or name another --embedder.",
        )
    name = resolve_model_name(config)
    return SharedEmbedder(detector, load_head(Path(name), detector.probe) if name else None)


def read_prior(config: EmbedderConfig) -> SimilarityPrior:
    """The gate that training found for the head that is named; general features without one.

    Raises:
        ModelError: there is no such head.
    """
    if not config.embed_model:
        return GENERAL
    found = read_checkpoint_config(Path(config.embed_model).expanduser(), KIND)
    gate = found.thresholds.get(GATE)
    return GENERAL if gate is None else build_prior(gate)


SHARED_BACKBONE = EmbedderKind(load_shared, read_prior=read_prior)


class SharedEmbedder(NeckEmbedder):
    """Describes boxes of the picture that the detector saw last, by the maps of its backbone.

    Args:
        detector: finds the boxes, and is a `CloserLook`; loaded.
        head: tells identities apart by the maps; without it boxes are compared with the usual one.

    Raises:
        UsageError: it has no backbone to give.
    """

    def __init__(self, detector: Detector, head: SharedHead | None = None) -> None:
        super().__init__(detector)
        self._closer = cast("CloserLook", detector)
        self._head = head
        self.has_memory = head is None

    @property
    def dim(self) -> int:
        """Length of a vector; 0 before the detector has run where there is no head."""
        return super().dim if self._head is None else len(self._head.offset)

    @property
    def title(self) -> str:
        """Whose features they are."""
        by = "" if self._head is None else f" by {self._head.name}"
        return f"backbone of {self._detector.title}{by}"

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the detector, and of the head."""
        by = "" if self._head is None else f" by {self._head.digest}"
        return f"backbone of {self._detector.fingerprint}{by}"

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """One vector per box, see `NeckEmbedder.embed`."""
        if self._head is None:
            return super().embed(image, xyxy)
        return self._head.tell_apart(self.describe(image, xyxy))

    def describe(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """(M, values) float32 what all levels say of each box, as a head learns it."""
        return np.concatenate(self.pool(image, xyxy, self.read_neck()), axis=1)

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
