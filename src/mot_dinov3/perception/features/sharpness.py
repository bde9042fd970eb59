"""How sharp the crops of a frame are, for a few microseconds each and without any model."""

from __future__ import annotations

import numpy as np

from mot_dinov3.values import FloatArray, Image, IntArray

GRID = 12
"""Points per side at which a crop is looked at."""

INSIDE = 0.8
"""Share of the box, around its middle, in which they lie: the border is background."""

FINE = 1 / 64
"""Distance of the neighbours that a point is compared with, as a share of the box's longer side:
what a model sees as neighbouring pixels."""

SHARE = (0.5 - INSIDE / 2 + INSIDE * (np.arange(GRID) + 0.5) / GRID).astype(np.float32)
"""Where the points lie along a side."""

LEAST = 1e-3
"""A source whose running median is below this has too little contrast to judge by."""


def sharpness(image: Image, xyxy: FloatArray) -> FloatArray:
    """(N,) fine contrast over coarse contrast of each crop; 0 for one without any.

    The mean absolute difference of neighbours a `FINE` step apart, against the standard deviation
    over the crop: blur takes the first and leaves the second. Only comparable among crops of the
    same source.

    Args:
        image: (H, W, 3) uint8 BGR; green stands for brightness.
        xyxy: (N, 4) float32 boxes in its pixels; may reach over the border.
    """
    if not len(xyxy):
        return np.empty(0, np.float32)
    green = _green(image, _places(image, xyxy))
    here, neighbours = green[:, 0], green[:, 1:]
    fine = np.abs(neighbours - here[:, None]).mean(axis=(2, 3))
    out: FloatArray = (fine[:, 0] + fine[:, 1]) / np.maximum(here.std(axis=(1, 2)), 1.0)
    return out


def _places(image: Image, xyxy: FloatArray) -> IntArray:
    """(N, 3, GRID, GRID) pixels of the image, counted row by row.

    First the points of each crop themselves, then their neighbours to the right and below.
    """
    height, width = image.shape[:2]
    size = xyxy[:, 2:] - xyxy[:, :2]
    fine = np.maximum(1, np.rint(size.max(axis=1) * FINE))
    at = xyxy[:, :2, None] + size[:, :, None] * SHARE
    at = np.nan_to_num(np.concatenate((at, at + fine[:, None, None]), axis=1))
    last = np.array([width - 1, height - 1, width - 1, height - 1], np.float32)
    at = np.minimum(np.maximum(at, 0), last[:, None]).astype(np.int64)
    left, right = at[:, 0, None], at[:, 2, None]
    here, below = at[:, 1, :, None] * width, at[:, 3, :, None] * width
    return np.stack((here + left, here + right, below + left), axis=1)


def _green(image: Image, places: IntArray) -> FloatArray:
    """Brightness at `places`; from flat memory it is fetched in a third of the time."""
    return image.reshape(-1).take(places * 3 + 1).astype(np.float32)


class UsualSharpness:
    """Turns sharpness into quality: a crop far less sharp than the running median is blurred.

    Attributes:
        usual: running median of the sharpness of crops, 0 before the first.
    """

    BLURRED = 0.7
    """A crop with this share of the usual sharpness, or more, is as good as any."""

    PACE = 0.02
    """How far the running median moves towards each new crop, as a share of itself."""

    def __init__(self) -> None:
        self.usual = 0.0

    def quality(self, sharp: FloatArray) -> FloatArray:
        """(N,) in [0, 1]; the crops then count for the usual sharpness."""
        if self.usual <= LEAST:
            self.usual = float(np.median(sharp)) if len(sharp) else 0.0
            return np.ones(len(sharp), np.float32)
        out = np.minimum(1.0, sharp / (self.BLURRED * self.usual))
        above = float(np.sign(sharp - self.usual).sum())
        self.usual *= 1 + self.PACE * float(np.tanh(above))
        return np.asarray(out, np.float32)
