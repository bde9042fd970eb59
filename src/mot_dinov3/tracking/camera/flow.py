"""Camera motion by sparse optical flow of the background, on a small grey picture."""

from __future__ import annotations

import cv2
import numpy as np

from mot_dinov3.errors import UsageError
from mot_dinov3.tracking.camera.base import STILL, CameraMotion
from mot_dinov3.values import DoubleArray, FloatArray, Frame, Image

WIDTH_PX = 384
"""The picture is made this small first: camera motion is coarse, and corners cost time."""

CORNERS, LEAST_POINTS = 200, 12
SPACING_PX, QUALITY = 8, 0.01
"""Corners stand apart, so that one textured thing does not speak for the whole picture."""

MARGIN_PX = 3
"""Boxes are left out with this margin: many are a little too tight."""

RETURN_PX = 0.5
"""A corner that is tracked to the next picture and back must come home as near as this."""

RANSAC_PX = 1.5
LEAST_SHARE = 0.2
"""A motion that fewer of the corners share is not the camera's."""

REST_PX, REST_SHARE = 0.2, 0.6
"""Where so many of the corners that agree did not move, the camera stood still."""


class FlowCamera(CameraMotion):
    """Tracks corners outside of all boxes from frame to frame and fits one similarity.

    Shi and Tomasi 1994 for the corners, Lucas and Kanade 1981 in a pyramid for their flow,
    RANSAC for the fit (Fischler and Bolles 1981), all by OpenCV.
    """

    needs_pixels = True

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise UsageError("--cmc flow takes no argument.", fix="Write --cmc flow.")
        self._last: Image | None = None
        self._last_moving: FloatArray = np.empty((0, 4), np.float32)

    def estimate(self, frame: Frame, moving: FloatArray) -> DoubleArray:
        """(2, 3) similarity from the last frame given; at rest where too little can be seen."""
        scale = min(1.0, WIDTH_PX / frame.width)
        small = self._small(frame.image, scale)
        last, boxes = self._last, self._last_moving * scale
        self._last, self._last_moving = small, moving
        if last is None or last.shape != small.shape:
            return STILL
        fit = fit_similarity(last, small, boxes)
        return np.column_stack((fit[:, :2], fit[:, 2] / scale))

    def _small(self, image: Image, scale: float) -> Image:
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def fit_similarity(before: Image, after: Image, moving: FloatArray) -> DoubleArray:
    """(2, 3) map of grey picture `before` to `after`, boxes (N, 4) of `before` left out."""
    mask = np.full(before.shape, 255, np.uint8)
    for x0, y0, x1, y1 in np.round(moving).astype(int).tolist():
        rows = slice(max(0, y0 - MARGIN_PX), max(0, y1 + MARGIN_PX))
        mask[rows, max(0, x0 - MARGIN_PX) : max(0, x1 + MARGIN_PX)] = 0
    points = cv2.goodFeaturesToTrack(before, CORNERS, QUALITY, SPACING_PX, mask=mask)
    if points is None or len(points) < LEAST_POINTS:
        return STILL
    here, there = track_points(before, after, np.asarray(points, np.float32))
    if len(here) < LEAST_POINTS:
        return STILL
    fit, inliers = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=RANSAC_PX
    )
    if fit is None or not np.isfinite(fit).all():
        return STILL
    agreed = inliers.sum()
    if agreed < max(LEAST_POINTS, LEAST_SHARE * len(here)):
        return STILL
    at_rest = np.abs(there - here).max(axis=2) <= REST_PX
    return STILL if at_rest.sum() >= REST_SHARE * agreed else np.asarray(fit, np.float64)


def track_points(before: Image, after: Image, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Those of `points` (P, 1, 2) that are found again, and where; both (K, 1, 2).

    Found again is what leads back to where it came from (Kalal et al. 2010).
    """
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None)
    back, home, _ = cv2.calcOpticalFlowPyrLK(after, before, there, None)
    good = (found.ravel() == 1) & (home.ravel() == 1)
    good &= np.linalg.norm(back - points, axis=2).ravel() <= RETURN_PX
    return points[good], np.asarray(there[good], np.float32)
