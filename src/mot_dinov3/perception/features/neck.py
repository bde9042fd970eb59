"""The detector's own features as embeddings: nearly free, because they are there already.

The neck of a YOLO describes what kind of thing is where, so objects of one class have similar
features. They differ in how they deviate from the mean object: every value is measured from its
mean over the objects of the last frames, in its standard deviations. Fine levels describe clothes,
coarse ones the build; each level counts the same.
"""

from __future__ import annotations

import numpy as np

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.base import Detector, Neck, NeckFeatures
from mot_dinov3.perception.features.backbone import unit_rows
from mot_dinov3.perception.features.base import Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.pooling import pool_boxes
from mot_dinov3.values import FloatArray, Image

BINS = ((4, 2), (3, 1), (1, 1))
"""Rows and columns that a box is divided into, finest level first; found on real walkers."""

MEMORY = 5000
"""Number of objects that the running mean is taken over; older ones fade."""

FIRST_GUESS = 4.0
"""For how many objects the background of the first picture counts in that mean."""

FLOOR = 0.1
"""Least standard deviation of a value, as a share of the overall one; noise is not amplified."""


def load_neck(config: EmbedderConfig, place: Placement) -> Embedder:
    """Describe boxes by the network of the detector that is loaded already.

    Raises:
        UsageError: there is none, or it does not hand out its features.
    """
    if place.detector is None:
        raise UsageError(
            f"--embedder {config.embedder} describes what a detector has just looked at, but here "
            "no detector looks.",
            fix="Name another --embedder.",
        )
    return NeckEmbedder(place.detector)


DETECTOR_NECK = EmbedderKind(load_neck)


class NeckEmbedder:
    """Describes boxes of the picture that the detector saw last, by the neck of its network.

    The first call for a picture also updates the mean object, so call it with all objects. A
    single object is not learned from, because there is nothing to compare it with.

    Args:
        detector: finds the boxes; loaded.

    Raises:
        UsageError: its network has no neck to give, or its backend does not hand it out.
    """

    device = "cpu"
    whole_frame = True
    has_own_cost = False
    has_memory = True

    def __init__(self, detector: Detector) -> None:
        if not isinstance(detector, NeckFeatures) or not detector.keep_neck():
            raise _nothing_handed_out(detector.title)
        self._detector: Detector = detector
        self._source: NeckFeatures = detector
        self._seen: Neck | None = None
        self._usual: list[UsualValues] = []

    @property
    def dim(self) -> int:
        """Length of a vector; 0 before the detector has run."""
        neck = self._source.neck
        sizes = zip(neck.maps, BINS, strict=False) if neck is not None else ()
        return sum(len(features) * bins[0] * bins[1] for features, bins in sizes)

    @property
    def title(self) -> str:
        """Whose features they are."""
        return f"neck of {self._detector.title}"

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the detector."""
        return f"neck of {self._detector.fingerprint}"

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """One vector per box; `image` must be the one that the detector looked at last.

        Returns:
            (M, dim) float32, unit rows; NaN where the maps say nothing.
        """
        neck = self.read_neck()
        levels = self.pool(image, xyxy, neck)
        if not self._usual:
            self._usual = [UsualValues(*each) for each in zip(neck.maps, BINS, strict=False)]
        if neck is not self._seen:
            for usual, found in zip(self._usual, levels, strict=True):
                usual.learn(found)
        self._seen = neck
        both = zip(self._usual, levels, strict=True)
        own = [unit_rows(usual.deviations(found)) for usual, found in both]
        out: FloatArray = np.concatenate(own, axis=1) / np.float32(np.sqrt(len(own)))
        out[~np.isfinite(out).all(axis=1)] = np.nan
        return out

    def read_neck(self) -> Neck:
        """The maps of the picture that the detector looked at last.

        Raises:
            UsageError: it hands none out.
        """
        neck = self._source.neck
        if neck is None:
            raise _nothing_handed_out(self._detector.title)
        return neck

    def pool(self, image: Image, xyxy: FloatArray, neck: Neck) -> list[FloatArray]:
        """What each level says of each box, (M, values) float32."""
        return [
            pool_boxes(features, neck.cells(xyxy, level), bins)
            for level, (features, bins) in enumerate(zip(neck.maps, BINS, strict=False))
        ]


class UsualValues:
    """Running mean and variance of the values of objects at one level.

    They begin with those of the whole first picture.
    """

    def __init__(self, features: FloatArray, bins: tuple[int, int]) -> None:
        parts = bins[0] * bins[1]
        self._mean = np.tile(features.mean(axis=(1, 2)), parts)
        self._variance = np.tile(features.var(axis=(1, 2)), parts)
        self._count = FIRST_GUESS

    def learn(self, values: FloatArray) -> None:
        """Update with the values (N, D) of all objects of one picture, N at least 2."""
        good = values[np.isfinite(values).all(axis=1)]
        if len(good) < 2:
            return
        share = np.float32(len(good) / (min(self._count, MEMORY) + len(good)))
        off = good.mean(axis=0) - self._mean
        spread = self._variance + share * off * off
        self._variance = (1 - share) * spread + share * good.var(axis=0)
        self._mean = self._mean + share * off
        self._count += len(good)

    def deviations(self, values: FloatArray) -> FloatArray:
        """(N, D) how far values are from the mean, in standard deviations."""
        floor = FLOOR * np.sqrt(self._variance.mean()) + 1e-6
        out: FloatArray = (values - self._mean) / (np.sqrt(self._variance) + floor)
        return out


def _nothing_handed_out(title: str) -> UsageError:
    return UsageError(
        f"'{title}' hands out no features for its boxes to be described with.",
        fix="They come from a YOLO with --backend openvino or torch. With other detectors leave "
        "out --embedder detector and --cheap-evidence.",
    )
