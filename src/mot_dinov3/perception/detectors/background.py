"""A model of the background before a fixed camera, learned from the frames themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mot_dinov3.values import FloatArray, Image

MEMORY_S = 20.0
"""Time constant of the background's slow changes."""
WARM_UP_S = 0.6
"""How long the background is learned before anything counts as different from it."""
FLASH_S = 0.6
"""A change of the whole picture that lasts longer is a new background."""
WHOLE_PICTURE = 0.6
"""Share of different pixels above which the light or the camera changed, not the scene."""
STILL_S = 60.0
"""Something that stays this long becomes background."""
VARIANCE, LEAST_VARIANCE = 16.0, 12.0
"""Squared distance at which a pixel is foreground, and the least noise assumed, in grey levels."""
NEW_EDGE = 14
"""Grey levels by which an edge must be stronger than the background's to count as new."""
EDGE_SLACK = 1.5
"""Times the background's own edge that an edge may be without being new."""
FALLBACK_DT_S = 1 / 30
LIGHT_CELL = 8
"""Pixels per cell of the grid on which a change of light is measured."""
LIGHT_WINDOW = 21
"""Cells over which the median is taken: an object must fill less than half of it."""
LIGHT_DOUBT = 0.6
"""Share of a correction of light that may be wrong."""
CERTAIN = 4
"""Grey levels of doubt that do not matter."""
LOG_STEPS = 48.0
"""Steps per doubling of brightness in the 8-bit grid."""


@dataclass(frozen=True, slots=True)
class Foreground:
    """One small picture against the background.

    Attributes:
        picture: (H, W, 3) uint8 BGR, lit like the background.
        solid: (H, W) uint8, 255 where something is.
        shade: (H, W) uint8, 255 where the background is only darker: a shadow, or grey cloth.
        new_edges: (H, W) uint8, 255 at edges that the background does not have.
    """

    picture: Image
    solid: Image
    shade: Image
    new_edges: Image


class Background:
    """A mixture of Gaussians per pixel (OpenCV's MOG2), learned with time and not with frames.

    Brightness is matched to the background first, so that a camera's automatic exposure does
    not turn the picture into foreground. Method: Zivkovic, "Improved Adaptive Gaussian Mixture
    Model for Background Subtraction", 2004.
    """

    def __init__(self) -> None:
        self._time_s = -math.inf
        self._dt_s = FALLBACK_DT_S
        self._seen_s = self._changed_s = 0.0
        self._frames = 0
        self._picture: Image = np.empty((0, 0, 3), np.uint8)
        self._age_s: FloatArray = np.empty((0, 0), np.float32)
        self._restart()

    def compare(self, picture: Image, time_s: float) -> Foreground | None:
        """Find what differs from the background; None while that is unknown.

        That is so while the background is still unknown and while the whole picture changes.
        A view must be handed to `learn` before the next picture is compared.
        """
        elapsed = time_s - self._time_s
        self._dt_s = elapsed if 0 < elapsed < MEMORY_S else FALLBACK_DT_S
        self._time_s = time_s
        if self._picture.shape != picture.shape:
            self._restart()
        if self._seen_s < WARM_UP_S:
            self._seen_s += self._dt_s
            self._apply(picture, 1.0 / (self._frames + 1))
            return None
        picture, doubt = self._same_light(picture)
        mask: Image = self._model.apply(picture, learningRate=0)
        solid = cv2.bitwise_and(cv2.inRange(mask, 255, 255), self._beyond(picture, doubt))
        if cv2.countNonZero(solid) > WHOLE_PICTURE * solid.size:
            self._whole_picture_changed()
            return None
        self._changed_s = 0.0
        shadow = self._model.getShadowValue()
        shade = cv2.inRange(mask, shadow, shadow)
        return Foreground(picture, solid, shade, self._new_edges(picture, doubt))

    def learn(self, view: Foreground, objects: Image) -> None:
        """Learn a view outside `objects`, and inside them what has stayed for `STILL_S`.

        Args:
            view: what `compare` returned.
            objects: (H, W) uint8, above 0 where an object was found.
        """
        inside = cv2.inRange(objects, 1, 255)
        self._age_s = cv2.copyTo(self._age_s + np.float32(self._dt_s), inside)
        young = cv2.bitwise_and(inside, cv2.inRange(self._age_s, 0, STILL_S))
        learned = cv2.copyTo(self._picture, young, view.picture.copy())
        self._apply(learned, 1 - math.exp(-self._dt_s / MEMORY_S))

    def _restart(self) -> None:
        self._model = cv2.createBackgroundSubtractorMOG2(varThreshold=VARIANCE, detectShadows=True)
        self._model.setVarMin(LEAST_VARIANCE)
        self._frames = 0
        self._seen_s = self._changed_s = 0.0
        self._picture = np.empty((0, 0, 3), np.uint8)

    def _apply(self, picture: Image, rate: float) -> None:
        self._model.apply(picture, learningRate=rate)
        self._frames += 1
        if self._picture.shape != picture.shape:
            self._age_s = np.zeros(picture.shape[:2], np.float32)
        self._picture = self._model.getBackgroundImage()
        edges = cv2.dilate(_edges(self._picture), np.ones((3, 3), np.uint8))
        self._edges = cv2.convertScaleAbs(edges, alpha=EDGE_SLACK)

    def _beyond(self, picture: Image, doubt: FloatArray) -> Image:
        """(H, W) uint8, 255 where brightness differs more than the doubt about the light."""
        background = _grey(self._picture)
        slack = cv2.multiply(background, doubt, dtype=cv2.CV_8U)
        beyond = cv2.subtract(cv2.absdiff(_grey(picture), background), slack)
        differs, certain = cv2.inRange(beyond, 1, 255), cv2.inRange(slack, 0, CERTAIN)
        return np.asarray(cv2.bitwise_or(differs, certain), np.uint8)

    def _new_edges(self, picture: Image, doubt: FloatArray) -> Image:
        known = cv2.add(self._edges, cv2.multiply(self._edges, doubt, dtype=cv2.CV_8U))
        stronger = cv2.subtract(_edges(picture), known)
        return np.asarray(cv2.inRange(stronger, NEW_EDGE, 255), np.uint8)

    def _whole_picture_changed(self) -> None:
        self._changed_s += self._dt_s
        if self._changed_s > FLASH_S:
            self._restart()

    def _same_light(self, picture: Image) -> tuple[Image, FloatArray]:
        """The picture, its brightness matched to the background's in every large region.

        Beside it the relative doubt about that, (H, W) float32: a share of the correction,
        since cameras change dark and bright parts by different factors.
        """
        gain = _cell_light(self._picture) / _cell_light(picture)
        steps = np.clip(np.log2(gain) * LOG_STEPS + 128, 0, 255).astype(np.uint8)
        rows, columns = steps.shape
        edge = LIGHT_WINDOW // 2
        steps = cv2.copyMakeBorder(steps, edge, edge, edge, edge, cv2.BORDER_REFLECT)
        steps = cv2.medianBlur(steps, LIGHT_WINDOW)[edge : edge + rows, edge : edge + columns]
        gain = np.exp2((steps.astype(np.float32) - 128) / LOG_STEPS)
        size = (picture.shape[1], picture.shape[0])
        field = cv2.resize(gain, size)
        lit: Image = cv2.multiply(picture, cv2.cvtColor(field, cv2.COLOR_GRAY2BGR), dtype=cv2.CV_8U)
        return lit, np.abs(field - 1) * np.float32(LIGHT_DOUBT)


def _cell_light(picture: Image) -> FloatArray:
    """Mean brightness per grid cell, plus one so that black divides."""
    size = (max(1, picture.shape[1] // LIGHT_CELL), max(1, picture.shape[0] // LIGHT_CELL))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32) + 1


def _edges(picture: Image) -> Image:
    square = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.morphologyEx(_grey(picture), cv2.MORPH_GRADIENT, square), np.uint8)


def _grey(picture: Image) -> Image:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
