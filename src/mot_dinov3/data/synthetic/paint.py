"""Anti-aliased painting on a transparent canvas, and the sprites that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values import Image

Colour = tuple[int, int, int]
"""Blue, green, red; 0 to 255."""
Point = tuple[float, float]

SOLID = 127
"""A sprite pixel with more alpha than this belongs to its silhouette; shadows have less."""
_SUBPIXEL_BITS = 4
_SMALLEST_PX = 12


@dataclass(frozen=True, slots=True)
class Cloth:
    """A surface with a pattern.

    Attributes:
        colour: the ground.
        second: the pattern's colour.
        pattern: plain, hoops, pinstripes, checks, dots, halves, band or sash.
    """

    colour: Colour
    second: Colour
    pattern: str = "plain"


PATTERNS = ("plain", "hoops", "pinstripes", "checks", "dots", "halves", "band", "sash")


def shade(colour: Colour, factor: float) -> Colour:
    """The same colour, darker below 1 and lighter above."""
    b, g, r = (min(255, max(0, round(channel * factor))) for channel in colour)
    return b, g, r


def weave(cloth: Cloth, width: int, height: int) -> Image:
    """(height, width, 3) picture of a cloth, its pattern in proportion to the piece."""
    u = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    v = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    shown = {
        "plain": u < 0,
        "hoops": (v * 4) % 1 < 0.5,
        "pinstripes": (u * 4) % 1 < 0.4,
        "checks": ((u * 3) % 1 < 0.5) ^ ((v * 4) % 1 < 0.5),
        "dots": ((u * 3) % 1 - 0.5) ** 2 + ((v * 4) % 1 - 0.5) ** 2 < 0.07,
        "halves": v > 0.5,
        "band": abs(v - 0.42) < 0.13,
        "sash": abs(u - v) < 0.17,
    }[cloth.pattern]
    both = np.broadcast_to(shown, (height, width))[..., None]
    return np.where(both, np.array(cloth.second, np.uint8), np.array(cloth.colour, np.uint8))


class SpriteCanvas:
    """A transparent picture to paint on in the units of what is painted; y points down.

    Attributes:
        pixels: (H, W, 4) uint8 BGR premultiplied with alpha.
    """

    def __init__(self, size: tuple[float, float], origin: Point, unit_px: float) -> None:
        """Make an empty canvas.

        Args:
            size: width and height in units.
            origin: where the point (0, 0) lies, in units from the top left corner.
            unit_px: pixels per unit.
        """
        width, height = (round(side * unit_px) for side in size)
        self.pixels: Image = np.zeros((height, width, 4), np.uint8)
        self.origin = origin
        self.unit_px = unit_px

    def _place(self, points: Sequence[Point]) -> NDArray[np.int32]:
        array = (np.asarray(points, np.float64) + self.origin) * self.unit_px
        return np.round(array * (1 << _SUBPIXEL_BITS)).astype(np.int32)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(
            self.pixels, [self._place(points)], (*colour, 255), cv2.LINE_AA, _SUBPIXEL_BITS
        )

    def stroke(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line with round ends through the points, `width` units thick."""
        cv2.polylines(
            self.pixels,
            [self._place(points)],
            isClosed=False,
            color=(*colour, 255),
            thickness=max(1, round(width * self.unit_px)),
            lineType=cv2.LINE_AA,
            shift=_SUBPIXEL_BITS,
        )

    def ellipse(self, centre: Point, axes: Point, colour: Colour, arc: Point = (0, 360)) -> None:
        """Fill an ellipse, or the part of it between two angles in degrees (clockwise)."""
        middle = self._place([centre])[0]
        half = [round(axis * self.unit_px * (1 << _SUBPIXEL_BITS)) for axis in axes]
        cv2.ellipse(
            self.pixels,
            (int(middle[0]), int(middle[1])),
            (half[0], half[1]),
            0,
            arc[0],
            arc[1],
            (*colour, 255),
            -1,
            cv2.LINE_AA,
            _SUBPIXEL_BITS,
        )

    def cloth(self, points: Sequence[Point], cloth: Cloth) -> None:
        """Fill a polygon with a pattern that is stretched over its bounding box."""
        if cloth.pattern == "plain":
            self.polygon(points, cloth.colour)
            return
        placed = self._place(points)
        x, y, width, height = cv2.boundingRect(placed >> _SUBPIXEL_BITS)
        x, y = max(0, x), max(0, y)
        part = self.pixels[y : y + height, x : x + width]
        cover = np.zeros(part.shape[:2], np.uint8)
        shift = np.array([x, y]) << _SUBPIXEL_BITS
        cv2.fillPoly(cover, [placed - shift], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        share = cover[..., None].astype(np.float32) / 255
        paint = np.dstack((weave(cloth, part.shape[1], part.shape[0]), np.full_like(cover, 255)))
        part[:] = np.round(part * (1 - share) + paint * share).astype(np.uint8)

    def shadow(self, centre: Point, axes: Point, strength: int = 95) -> None:
        """A dark ellipse on the ground under what is painted; no part of the silhouette."""
        layer = SpriteCanvas((1, 1), self.origin, self.unit_px)
        layer.pixels = np.zeros_like(self.pixels)
        layer.ellipse(centre, axes, (0, 0, 0))
        free = self.pixels[..., 3] == 0
        dark = layer.pixels[..., 3].astype(np.uint16) * strength // 255
        self.pixels[..., 3][free] = dark[free].astype(np.uint8)

    def light(self, left: float, right: float) -> None:
        """Light from the side: colours fade from one factor to another across what is painted."""
        columns = np.flatnonzero(self.pixels[..., 3].any(axis=0))
        ramp = np.ones(self.pixels.shape[1], np.float32)
        ramp[columns] = np.linspace(left, right, len(columns), dtype=np.float32)
        lit = self.pixels[..., :3] * ramp[None, :, None]
        alpha = self.pixels[..., 3:]
        self.pixels[..., :3] = np.minimum(np.round(lit), alpha).astype(np.uint8)


@dataclass(frozen=True)
class Sprite:
    """A painted thing that can be drawn at any size.

    Attributes:
        pixels: (H, W, 4) uint8 BGR premultiplied with alpha.
        origin_px: the point that stands on the ground, in pixels of `pixels`.
        unit_px: pixels per unit of the thing's own measure.
    """

    pixels: Image
    origin_px: Point
    unit_px: float

    @classmethod
    def of(cls, canvas: SpriteCanvas) -> Sprite:
        """What was painted on a canvas, standing on its origin."""
        x, y = canvas.origin
        return cls(canvas.pixels, (x * canvas.unit_px, y * canvas.unit_px), canvas.unit_px)

    @cached_property
    def smaller(self) -> Sprite:
        """The same thing at half the resolution, averaged, so that shrinking does not flicker."""
        height, width = self.pixels.shape[:2]
        even = cv2.copyMakeBorder(self.pixels, 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT)
        half = cv2.resize(
            even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA
        )
        x, y = self.origin_px
        return Sprite(np.asarray(half, np.uint8), (x / 2, y / 2), self.unit_px / 2)

    def at(self, unit_px: float) -> Sprite:
        """The smallest stored resolution that need not be enlarged for `unit_px`."""
        sprite = self
        while sprite.unit_px >= 2 * unit_px and min(sprite.pixels.shape[:2]) > _SMALLEST_PX:
            sprite = sprite.smaller
        return sprite

    def mirror(self) -> Sprite:
        """Facing the other way."""
        x, y = self.origin_px
        flipped = np.ascontiguousarray(self.pixels[:, ::-1])
        return Sprite(flipped, (self.pixels.shape[1] - x, y), self.unit_px)
