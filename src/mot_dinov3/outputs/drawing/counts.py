"""Lines and zones with their counts, drawn into a picture below its tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mot_dinov3.outputs.drawing.colours import WHITE, Colour
from mot_dinov3.outputs.drawing.labels import FONT, to_letters
from mot_dinov3.outputs.drawing.sizes import Sizes
from mot_dinov3.outputs.drawing.styles import Box
from mot_dinov3.values import Image
from mot_dinov3.values.counting import FrameCounts, LineCounts, Point, ZoneCounts

Corners = NDArray[np.int32]

COLOURS: tuple[Colour, ...] = (
    *((80, 200, 255), (220, 180, 60), (120, 220, 120)),
    *((200, 130, 255), (90, 150, 255), (210, 220, 90)),
)
"""BGR of zones and lines by turns."""
EDGE = (40, 40, 40)
FILL, SHADE = 0.16, 0.3
"""How much of a zone's colour is laid over it, and how much of the picture shows behind a text."""
ARROW = 0.045
"""Length of an arrow as a share of the picture's shorter side."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A text that belongs to a point.

    Attributes:
        text: letters that the font does not have become question marks.
        place: the point.
        aside: direction from the point to the text, of length 1.
    """

    text: str
    place: tuple[int, int]
    aside: Point


def draw_counts(image: Image, counted: FrameCounts, sizes: Sizes, taken: list[Box]) -> None:
    """Draw every line and zone of a frame and what was counted at it.

    An arrow shows which way across a line is in.

    Args:
        image: (H, W, 3) uint8 BGR, drawn into.
        counted: of the frame.
        sizes: of the picture.
        taken: what the texts must not cover, xyxy; their own boxes are added.
    """
    colours = [COLOURS[n % len(COLOURS)] for n in range(len(counted.zones) + len(counted.lines))]
    zones = zip(counted.zones, colours, strict=False)
    lines = zip(counted.lines, colours[len(counted.zones) :], strict=True)
    captions = [_draw_zone(image, zone, colour, sizes) for zone, colour in zones]
    captions += [_draw_line(image, line, colour, sizes) for line, colour in lines]
    for caption in captions:
        _write(image, caption, sizes, taken)


def describe_line(line: LineCounts) -> str:
    """`door  in 3  out 2`."""
    return f"{line.name}  in {line.n_in}  out {line.n_out}"


def describe_zone(zone: ZoneCounts) -> str:
    """`yard  2 inside`."""
    return f"{zone.name}  {zone.inside} inside"


def _draw_zone(image: Image, zone: ZoneCounts, colour: Colour, sizes: Sizes) -> Caption:
    corners = _to_corners(zone.corners)
    left, top, width, height = cv2.boundingRect(corners)
    part = image[max(top, 0) : top + height, max(left, 0) : left + width]
    filled = part.copy()
    cv2.fillPoly(filled, [corners - (max(left, 0), max(top, 0))], colour)
    cv2.addWeighted(filled, FILL, part, 1 - FILL, 0, dst=part)
    cv2.polylines(image, [corners], True, colour, sizes.thin_px, cv2.LINE_AA)
    upper = corners[corners[:, 1] <= top + height // 8]
    return Caption(describe_zone(zone), (int(upper[:, 0].mean()), top), (0.0, 1.0))


def _draw_line(image: Image, line: LineCounts, colour: Colour, sizes: Sizes) -> Caption:
    ends = _to_corners(line.ends)
    thick = sizes.line_px
    start, end = ends.tolist()
    cv2.line(image, start, end, EDGE, 2 * thick + 1, cv2.LINE_AA)
    cv2.line(image, start, end, colour, thick, cv2.LINE_AA)
    along = np.subtract(end, start, dtype=np.float64)
    inward = np.array([along[1], -along[0]]) / max(float(np.hypot(*along)), 1e-9)
    middle = ends.mean(axis=0)
    tip = middle + inward * ARROW * min(image.shape[:2])
    base, head = (np.rint(point).astype(int).tolist() for point in (middle, tip))
    for width, ink in ((2 * thick + 1, EDGE), (thick, colour)):
        cv2.arrowedLine(image, base, head, ink, width, cv2.LINE_AA, tipLength=0.4)
    out_x, out_y = (-inward).tolist()
    # Beside the upper end, and not in the middle, where most objects cross.
    x, y = min((start, end), key=lambda point: (point[1], point[0]))
    return Caption(describe_line(line), (x, y), (out_x, out_y))


def _write(image: Image, caption: Caption, sizes: Sizes, taken: list[Box]) -> None:
    """Write on a darkened box inside of the picture, below the boxes that are in its way.

    Args:
        image: drawn into.
        caption: what is written.
        sizes: of the picture.
        taken: left, top, right and bottom of the boxes so far; the new one is added.
    """
    text, scale, weight = to_letters(caption.text), sizes.font_scale, sizes.weight_px
    (width, height), below = cv2.getTextSize(text, FONT, scale, weight)
    pad = max(3, round(9 * scale))
    size = width + 2 * pad, height + below + 2 * pad
    gap = 2 * sizes.thin_px
    corner = (
        at + way * (side / 2 + gap) - side / 2
        for at, way, side in zip(caption.place, caption.aside, size, strict=True)
    )
    rooms = image.shape[1] - size[0], image.shape[0] - size[1]
    left, top = (max(0, min(round(v), room)) for v, room in zip(corner, rooms, strict=True))
    for box in sorted(taken, key=lambda box: box[1]):
        if left < box[2] and box[0] < left + size[0] and top < box[3] and box[1] < top + size[1]:
            top = box[3] + 1
    taken.append((left, top, left + size[0], top + size[1]))
    part = image[top : top + size[1], left : left + size[0]]
    cv2.convertScaleAbs(part, part, alpha=SHADE)
    at_px = (left + pad, top + pad + height)
    cv2.putText(image, text, at_px, FONT, scale, WHITE, weight, cv2.LINE_AA)


def _to_corners(points: Sequence[Point]) -> Corners:
    return np.asarray(np.rint(np.array(points)), np.int32)
