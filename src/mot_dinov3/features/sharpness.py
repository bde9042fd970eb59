"""How sharp the crops of a frame are, for a few microseconds each and without any model."""

from __future__ import annotations

import numpy as np

from mot_dinov3.structures import FloatArray, Image

GRID = 12
"""Points per side at which a crop is looked at."""

INSIDE = 0.8
"""Share of the box, around its middle, in which they lie: the border is background."""

FINE = 1 / 64
"""Distance of the neighbours that a point is compared with, as a share of the box's longer side:
what a model sees as neighbouring pixels."""

LEAST = 1e-3
"""A source that is usually less sharp than this has no contrast to judge by."""


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
    height, width = image.shape[:2]
    steps = (np.arange(GRID) + 0.5) / GRID
    share = (0.5 - INSIDE / 2 + INSIDE * steps).astype(np.float32)
    size = xyxy[:, 2:] - xyxy[:, :2]
    x = xyxy[:, 0, None] + size[:, 0, None] * share
    y = xyxy[:, 1, None] + size[:, 1, None] * share
    fine = np.maximum(1, np.rint(size.max(axis=1) * FINE))[:, None]
    left, right = _pixels(x, width), _pixels(x + fine, width)
    top, bottom = _pixels(y, height), _pixels(y + fine, height)
    green = image[..., 1]
    here = green[top[:, :, None], left[:, None, :]].astype(np.float32)
    across = np.abs(green[top[:, :, None], right[:, None, :]] - here).mean(axis=(1, 2))
    down = np.abs(green[bottom[:, :, None], left[:, None, :]] - here).mean(axis=(1, 2))
    out: FloatArray = (across + down) / np.maximum(here.std(axis=(1, 2)), 1.0)
    return out


def _pixels(at: FloatArray, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    return np.clip(np.nan_to_num(at), 0, size - 1).astype(np.int32)


class UsualSharpness:
    """Turns sharpness into quality: what is far less sharp than usual is blurred.

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
        quality: FloatArray = out.astype(np.float32)
        return quality
