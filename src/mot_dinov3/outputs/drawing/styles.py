"""The shapes that mark a track: a box, an ellipse at its feet, or the corners of its box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mot_dinov3.outputs.drawing.colours import Colour
from mot_dinov3.values import Image

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels."""

DASH_PX = 9
MOST_DASHES = 200
CORNER = 0.22
"""Length of the lines of a corner as a share of the shorter side of the box."""
LEAST_CORNER_PX = 4
FLATNESS = 0.3
"""Height of an ellipse as a share of its width."""
ARC = (-45, 235)
"""Degrees of an ellipse that are drawn: it is open behind the object."""
MOST_AXIS_PX = 30_000
"""OpenCV takes no longer axes."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How a shape is drawn.

    Attributes:
        colour: BGR.
        thickness_px: of its lines.
        dashed: the box is only predicted.
    """

    colour: Colour
    thickness_px: int
    dashed: bool = False


Style = Callable[[Image, Box, Pen], None]
"""Draws the shape of one box into an image."""


def draw_box(image: Image, box: Box, pen: Pen) -> None:
    """Draw the outline of a box."""
    left, top, right, bottom = box
    if pen.dashed:
        cv2.polylines(image, list(_dashes(box)), False, pen.colour, pen.thickness_px)
        return
    cv2.rectangle(image, (left, top), (right, bottom), pen.colour, pen.thickness_px)


def draw_ellipse(image: Image, box: Box, pen: Pen) -> None:
    """Draw an ellipse on the ground where the box ends, open at its far side."""
    left, _, right, bottom = box
    across = min(max(1, (right - left) // 2), MOST_AXIS_PX)
    middle, axes = ((left + right) // 2, bottom), (across, max(1, round(across * FLATNESS)))
    for begin, end in _arcs(pen):
        cv2.ellipse(image, middle, axes, 0, begin, end, pen.colour, pen.thickness_px, cv2.LINE_AA)


def _arcs(pen: Pen) -> Iterator[tuple[int, int]]:
    """First and last degree of every piece of the ellipse."""
    if not pen.dashed:
        yield ARC
        return
    yield from ((begin, begin + 20) for begin in range(*ARC, 40))


def draw_corners(image: Image, box: Box, pen: Pen) -> None:
    """Draw the four corners of a box; where it is only predicted, they are shorter."""
    left, top, right, bottom = box
    length = max(LEAST_CORNER_PX, round(CORNER * min(right - left, bottom - top)))
    length = length // 2 if pen.dashed else length
    for x, inward in ((left, length), (right, -length)):
        for y, down in ((top, length), (bottom, -length)):
            points = np.array([(x + inward, y), (x, y), (x, y + down)], np.int32)
            cv2.polylines(image, [points], False, pen.colour, pen.thickness_px)


def _dashes(box: Box) -> np.ndarray[tuple[int, int, int], np.dtype[np.int32]]:
    """(N, 2, 2) int32 line pieces around a box."""
    left, top, right, bottom = box
    across = np.arange(left, max(right, left + 1), 2 * DASH_PX)[:MOST_DASHES]
    down = np.arange(top, max(bottom, top + 1), 2 * DASH_PX)[:MOST_DASHES]
    across_end = np.minimum(across + DASH_PX, right)
    down_end = np.minimum(down + DASH_PX, bottom)
    pieces = [
        np.stack((across, np.full_like(across, y), across_end, np.full_like(across, y)), axis=1)
        for y in (top, bottom)
    ] + [
        np.stack((np.full_like(down, x), down, np.full_like(down, x), down_end), axis=1)
        for x in (left, right)
    ]
    return np.concatenate(pieces).astype(np.int32).reshape(-1, 2, 2)


SHAPES: dict[str, Style] = {"box": draw_box, "ellipse": draw_ellipse, "corner": draw_corners}
"""Name of `--style` -> what draws it."""
