"""A camera motion that is added by this file and one line of the table: it looks and is still."""

from __future__ import annotations

from mot_dinov3.tracking.camera.base import STILL, CameraMotion

LINE = ("helpers.added.camera:WatchedCamera", "a camera that is watched and does not move")


class WatchedCamera(CameraMotion):
    """Counts the pictures that it sees."""

    needs_pixels = True
    seen = 0

    def __init__(self, argument=""):
        pass

    def estimate(self, frame, moving):
        WatchedCamera.seen += frame.image.ndim == 3
        return STILL
