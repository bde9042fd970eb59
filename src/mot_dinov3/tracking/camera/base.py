"""What a source of camera motion is to the pipeline."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mot_dinov3.values import DoubleArray, FloatArray, Frame

STILL: DoubleArray = np.eye(2, 3)
"""The affine map of a camera that does not move."""


class CameraMotion(Protocol):
    """Tells how the picture moved since the frame before."""

    def estimate(self, frame: Frame, moving: FloatArray) -> DoubleArray:
        """(2, 3) affine map of pixels of the last frame given to pixels of this one.

        Args:
            frame: frames come in order, some may be left out.
            moving: (N, 4) boxes of objects, which say nothing about the camera.
        """
