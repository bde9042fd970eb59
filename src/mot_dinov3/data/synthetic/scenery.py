"""What does not move: the street behind all people, and the things people vanish behind."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mot_dinov3.data.synthetic.looks import dye, vary
from mot_dinov3.data.synthetic.motion import FAR_KERB, FAR_WALL, NEAR_KERB
from mot_dinov3.data.synthetic.paint import Colour, Sprite, SpriteCanvas, shade
from mot_dinov3.values import Image

_WALLS: tuple[Colour, ...] = (
    (120, 140, 165),
    (150, 165, 180),
    (110, 110, 150),
    (140, 150, 140),
    (95, 110, 130),
    (165, 180, 195),
    (120, 125, 125),
    (90, 105, 150),
)
OCCLUDERS = ("tree", "pole", "kiosk", "skip", "tree")


@dataclass(frozen=True, slots=True)
class Occluder:
    """A thing that stands still and hides what passes behind it.

    Attributes:
        sprite: how it looks, in metres.
        x: where it stands, in frame heights from the left edge of the unpanned frame.
        y: its foot, in frame heights from the top.
    """

    sprite: Sprite
    x: float
    y: float


def paint_street(rng: np.random.Generator, width: int, height: int) -> Image:
    """(height, width, 3) picture of an empty street: houses, pavements, road."""
    street = np.empty((height, width, 3), np.uint8)
    wall, far, near = (round(level * height) for level in (FAR_WALL, FAR_KERB, NEAR_KERB))
    street[:far] = vary(rng, (150, 155, 160), 7)
    street[far:near] = vary(rng, (84, 82, 80), 4)
    street[near:] = vary(rng, (145, 152, 160), 7)
    _draw_houses(rng, street, wall)
    _draw_paving(street, wall, far, height * 0.016)
    _draw_paving(street, near, height, height * 0.055)
    _draw_road_marks(rng, street, far, near)
    for level in (far, near):
        cv2.line(street, (0, level), (width, level), (190, 195, 200), max(2, height // 110))
        cv2.line(street, (0, level + height // 90), (width, level + height // 90), (60, 60, 62), 2)
    return _add_grain(rng, street)


def _add_grain(rng: np.random.Generator, picture: Image) -> Image:
    """Fine and coarse roughness, so that no surface is flat."""
    height, width = picture.shape[:2]
    grain = rng.normal(0, 4.5, (height, width, 1)).astype(np.float32)
    for cell in (6, 40):
        small = (height // cell + 2, width // cell + 2)
        coarse = rng.normal(0, 5.0, small).astype(np.float32)
        grain += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)


def _draw_houses(rng: np.random.Generator, street: Image, ground: int) -> None:
    x = 0
    while x < street.shape[1]:
        wide = int(rng.uniform(0.35, 0.75) * street.shape[0])
        house = street[:ground, x : x + wide]
        wall = vary(rng, _WALLS[int(rng.integers(len(_WALLS)))], 18)
        house[:] = wall
        _draw_storeys(rng, house, wall)
        house[:, :2] = shade(wall, 0.6)
        x += wide


def _draw_storeys(rng: np.random.Generator, house: Image, wall: Colour) -> None:
    """Windows above, a shop front with an awning or a plain door below."""
    height, width = house.shape[:2]
    pane = vary(rng, (120, 105, 85), 25)
    step = max(12, int(rng.uniform(0.16, 0.24) * height))
    for y in range(int(0.05 * height), int(0.55 * height), int(step * 1.4)):
        for x in range(step // 2, width - step, int(step * 1.25)):
            house[y : y + step, x : x + int(step * 0.7)] = shade(wall, 1.25)
            house[y + 2 : y + step - 2, x + 2 : x + int(step * 0.7) - 2] = pane
    sill, left, right = int(0.68 * height), int(0.12 * width), int(0.88 * width)
    if rng.random() < 0.6:
        house[sill:, left:right] = shade(pane, 0.7)
        house[sill - height // 12 : sill + 3, left - 4 : right + 4] = dye(rng)
        house[sill + 6 :, (left + right) // 2 : (left + right) // 2 + 3] = shade(wall, 0.5)
    else:
        door = int(rng.uniform(0.2, 0.6) * width)
        house[sill:, door : door + width // 7] = vary(rng, (50, 60, 90), 35)


def _draw_paving(street: Image, top: int, bottom: int, tile: float) -> None:
    """Joints of paving stones; rows get taller towards the camera."""
    y, row, joint = float(top), tile, (118, 122, 128)
    while y < bottom:
        cv2.line(street, (0, round(y)), (street.shape[1], round(y)), joint, 1)
        for x in np.arange(0, street.shape[1], row * 3.2):
            low = min(bottom - 1, round(y + row))
            cv2.line(street, (round(x), round(y)), (round(x), low), joint, 1)
        y += row
        row *= 1.18


def _draw_road_marks(rng: np.random.Generator, street: Image, far: int, near: int) -> None:
    height, width = street.shape[:2]
    middle, dash = (far + near) // 2, round(0.12 * height)
    for x in range(0, width, 2 * dash):
        cv2.rectangle(street, (x, middle - 2), (x + dash, middle + 2), (205, 210, 212), -1)
    start = int(rng.uniform(0.3, 0.7) * width)
    for bar in range(6):
        x = start + round(bar * 0.075 * height)
        corners = [
            (x, far + 5),
            (x + 0.035 * height, far + 5),
            (x + 0.05 * height, near - 3),
            (x + 0.005 * height, near - 3),
        ]
        cv2.fillPoly(street, [np.array(corners, np.int32)], (200, 205, 208), cv2.LINE_AA)


def place_occluders(
    rng: np.random.Generator, count: int, span: tuple[float, float]
) -> list[Occluder]:
    """Stand `count` things along the kerbs, spread over the width `span` of the world."""
    order = [OCCLUDERS[i] for i in rng.permutation(len(OCCLUDERS))]
    slots = rng.permutation(count)
    placed = []
    for number in range(count):
        share = (slots[number] + rng.uniform(0.25, 0.75)) / count
        kind = order[number % len(order)]
        far = kind in ("tree", "pole") and rng.random() < 0.45
        y = FAR_KERB - 0.008 if far else NEAR_KERB + rng.uniform(0.03, 0.09)
        placed.append(Occluder(_PAINTERS[kind](rng), span[0] + share * (span[1] - span[0]), y))
    return placed


def _draw_tree(rng: np.random.Generator) -> Sprite:
    canvas = SpriteCanvas((3.4, 5.6), (1.7, 5.2), 60)
    trunk, leaf = vary(rng, (45, 65, 90)), vary(rng, (55, 125, 75), 25)
    wide = float(rng.uniform(0.14, 0.24))
    canvas.polygon([(-wide, 0), (-wide * 0.7, -3.2), (wide * 0.7, -3.2), (wide, 0)], trunk)
    canvas.stroke([(-wide * 0.4, -0.1), (-wide * 0.3, -3.0)], 0.05, shade(trunk, 0.7))
    for _ in range(11):
        x, y = rng.uniform(-0.85, 0.85), rng.uniform(-4.4, -3.1)
        canvas.ellipse((x, y), (0.62, 0.5), shade(leaf, float(rng.uniform(0.7, 1.2))))
    canvas.shadow((0, 0), (0.9, 0.14))
    return Sprite.of(canvas)


def _draw_pole(rng: np.random.Generator) -> Sprite:
    canvas = SpriteCanvas((2.2, 5.4), (0.6, 5.1), 60)
    metal = vary(rng, (95, 100, 95), 25)
    canvas.stroke([(0, -0.1), (0, -4.8), (0.9, -4.9)], 0.16, metal)
    canvas.ellipse((1.0, -4.85), (0.3, 0.1), (200, 240, 250))
    canvas.polygon([(-0.17, 0), (-0.17, -0.7), (0.17, -0.7), (0.17, 0)], shade(metal, 0.7))
    if rng.random() < 0.6:
        canvas.polygon([(-0.3, -2.2), (-0.3, -2.8), (0.3, -2.8), (0.3, -2.2)], dye(rng))
    return Sprite.of(canvas)


def _draw_kiosk(rng: np.random.Generator) -> Sprite:
    canvas = SpriteCanvas((2.6, 3.2), (1.3, 2.9), 60)
    wall, roof = dye(rng), dye(rng)
    canvas.polygon([(-0.6, 0), (-0.6, -1.9), (0.6, -1.9), (0.6, 0)], wall)
    canvas.polygon([(-0.45, -1.0), (-0.45, -1.7), (0.45, -1.7), (0.45, -1.0)], (70, 60, 55))
    canvas.polygon([(-0.8, -1.8), (-0.6, -2.2), (0.6, -2.2), (0.8, -1.8)], roof)
    canvas.stroke([(-0.52, -0.95), (0.52, -0.95)], 0.08, shade(wall, 1.4))
    canvas.light(1.05, 0.85)
    canvas.shadow((0, 0), (0.8, 0.12))
    return Sprite.of(canvas)


def _draw_skip(rng: np.random.Generator) -> Sprite:
    """A builder's container: as big as a car, but it has no wheels and is not a vehicle."""
    canvas = SpriteCanvas((3.8, 2.6), (1.9, 2.3), 60)
    paint = dye(rng)
    canvas.polygon([(-0.75, -0.08), (-1.0, -0.85), (1.0, -0.85), (0.75, -0.08)], paint)
    for x in (-0.5, -0.17, 0.17, 0.5):
        canvas.stroke([(x, -0.15), (x * 1.15, -0.8)], 0.06, shade(paint, 0.7))
    canvas.stroke([(-1.02, -0.85), (1.02, -0.85)], 0.1, shade(paint, 0.6))
    canvas.light(1.05, 0.85)
    canvas.shadow((0, 0), (1.0, 0.12))
    return Sprite.of(canvas)


_PAINTERS = {"tree": _draw_tree, "pole": _draw_pole, "kiosk": _draw_kiosk, "skip": _draw_skip}
