"""Drawing sprites into a picture while an id mask keeps the books of who is visible."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mot_dinov3.data.synthetic.paint import SOLID, Sprite
from mot_dinov3.data.synthetic.truth import GroundTruth
from mot_dinov3.values import Image


@dataclass(frozen=True, slots=True)
class Stamp:
    """One sprite to draw.

    Attributes:
        sprite: what is drawn.
        x_px: where its foot stands, pixels from the left edge of the frame.
        y_px: the same from the top; larger is nearer and is drawn later.
        unit_px: its size.
        track_id: whose picture it is, 0 for scenery.
        class_id: key into `CLASS_NAMES`, -1 for scenery.
    """

    sprite: Sprite
    x_px: float
    y_px: float
    unit_px: float
    track_id: int = 0
    class_id: int = -1


@dataclass(frozen=True, slots=True)
class _Entry:
    track_id: int
    class_id: int
    box: tuple[int, int, int, int]
    silhouette_px: int


class Stage:
    """A picture being drawn, back to front, and the ids of what is on top at every pixel."""

    def __init__(self, backdrop: Image) -> None:
        self.picture = backdrop
        self.ids: NDArray[np.uint8] = np.zeros(backdrop.shape[:2], np.uint8)
        self._entries: list[_Entry] = []

    def draw(self, stamps: list[Stamp]) -> None:
        """Draw everything, the farthest first."""
        for stamp in sorted(stamps, key=lambda item: item.y_px):
            self._stamp(stamp)

    def _stamp(self, stamp: Stamp) -> None:
        patch, left, top = resize_sprite(stamp)
        height, width = self.ids.shape
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(width, left + patch.shape[1]), min(height, top + patch.shape[0])
        solid = cv2.compare(patch[..., 3], SOLID, cv2.CMP_GT)
        if stamp.track_id:
            self._remember(stamp, solid, (left, top))
        if x0 >= x1 or y0 >= y1:
            return
        seen = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        blend(self.picture[y0:y1, x0:x1], patch[seen])
        cv2.copyTo(
            np.full(solid[seen].shape, stamp.track_id, np.uint8),
            solid[seen],
            self.ids[y0:y1, x0:x1],
        )

    def _remember(self, stamp: Stamp, solid: Image, corner: tuple[int, int]) -> None:
        x, y, width, height = cv2.boundingRect(solid)
        x0, y0 = max(0, corner[0] + x), max(0, corner[1] + y)
        x1 = min(self.ids.shape[1], corner[0] + x + width)
        y1 = min(self.ids.shape[0], corner[1] + y + height)
        if x0 < x1 and y0 < y1:
            pixels = int(cv2.countNonZero(solid))
            self._entries.append(_Entry(stamp.track_id, stamp.class_id, (x0, y0, x1, y1), pixels))

    def truth(self) -> GroundTruth:
        """All objects whose boxes touch the frame, in the order of their ids."""
        entries = sorted(self._entries, key=lambda entry: entry.track_id)
        if not entries:
            return GroundTruth.empty()
        visible = np.bincount(self.ids.ravel(), minlength=256)
        return GroundTruth(
            np.array([entry.box for entry in entries], np.float32),
            np.array([entry.track_id for entry in entries], np.int64),
            np.array([entry.class_id for entry in entries], np.int64),
            np.array([visible[e.track_id] / e.silhouette_px for e in entries], np.float32),
        )


def resize_sprite(stamp: Stamp) -> tuple[Image, int, int]:
    """The sprite at its size and sub-pixel place: its pixels, and where their corner goes."""
    sprite = stamp.sprite.at(stamp.unit_px)
    scale = stamp.unit_px / sprite.unit_px
    left = stamp.x_px - sprite.origin_px[0] * scale
    top = stamp.y_px - sprite.origin_px[1] * scale
    corner_x, corner_y = int(np.floor(left)), int(np.floor(top))
    height, width = sprite.pixels.shape[:2]
    size = (int(np.ceil(width * scale)) + 2, int(np.ceil(height * scale)) + 2)
    half = 0.5 * scale - 0.5
    move = np.array([[scale, 0, left - corner_x + half], [0, scale, top - corner_y + half]])
    patch = cv2.warpAffine(sprite.pixels, move, size, flags=cv2.INTER_LINEAR)
    return np.asarray(patch, np.uint8), corner_x, corner_y


def blend(part: Image, patch: Image) -> None:
    """Lay a premultiplied patch (H, W, 4) over a part (H, W, 3) of a picture, in place."""
    see_through = cv2.cvtColor(cv2.bitwise_not(patch[..., 3]), cv2.COLOR_GRAY2BGR)
    behind = cv2.multiply(part, see_through, scale=1 / 255)
    cv2.add(behind, cv2.cvtColor(patch, cv2.COLOR_BGRA2BGR), dst=behind)
    part[:] = behind
