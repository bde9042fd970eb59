"""What a detector's network saw on its way to the boxes: feature maps of the whole picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.perception.detectors.letterbox import Fit
from mot_dinov3.values import FloatArray


@dataclass(frozen=True, slots=True)
class Neck:
    """The feature maps that the detection head read, and where the picture lies in them.

    Attributes:
        maps: one (channels, h, w) float32 array per level, the finest first.
        fit: how the picture lies in the network's input.
    """

    maps: tuple[FloatArray, ...]
    fit: Fit

    def stride(self, level: int) -> float:
        """Input pixels per cell of a level's map."""
        return self.fit.size[0] / len(self.maps[level][0])

    def cells(self, xyxy: FloatArray, level: int) -> FloatArray:
        """(N, 4) boxes in picture pixels -> in cells of a level's map, borders at whole numbers.

        This is the frame of `torchvision.ops.roi_align` with `aligned=True` and scale 1.
        """
        moved = xyxy * np.float32(self.fit.ratio)
        moved += np.array([self.fit.left, self.fit.top] * 2, np.float32)
        cells: FloatArray = moved / np.float32(self.stride(level))
        return cells
