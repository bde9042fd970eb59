"""What a source of camera motion is to the tracker."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np

from mot_dinov3.values import DoubleArray, FloatArray, Frame

STILL: DoubleArray = np.eye(2, 3)
"""The affine map of a camera that does not move."""


class CameraMotion(Protocol):
    """Tells how the picture moved since the frame before.

    It is built from what stands behind its name, "gmc.txt" for `--cmc file:gmc.txt`, "" for none.

    Attributes:
        needs_pixels: it looks at the pictures.
        argument: what stands behind its name, such as "FILE"; "" for nothing. A file belongs to
            one clip.
    """

    needs_pixels: ClassVar[bool] = False
    argument: ClassVar[str] = ""

    def estimate(self, frame: Frame, moving: FloatArray) -> DoubleArray:
        """Estimate the (2, 3) affine map from pixels of the last frame to pixels of this one.

        Args:
            frame: the new frame; frames come in order, and some may be left out.
            moving: (N, 4) boxes of objects, which say nothing about the camera.
        """
