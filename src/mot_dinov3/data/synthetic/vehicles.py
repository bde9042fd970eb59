"""Sprites of vehicles, facing right, in metres: wheels on y = 0, middle at x = 0."""

from __future__ import annotations

from math import cos, pi, sin

from mot_dinov3.data.synthetic.looks import VehicleLook
from mot_dinov3.data.synthetic.paint import Cloth, Colour, Point, Sprite, SpriteCanvas, shade

WHEEL_PHASES = 4
_UNIT_PX = 90.0
_OUTLINES: dict[str, list[Point]] = {
    "car": [
        (-0.5, 0.30),
        (-0.5, 0.60),
        (-0.46, 0.66),
        (-0.33, 0.68),
        (-0.2, 1.0),
        (0.1, 1.0),
        (0.26, 0.66),
        (0.46, 0.58),
        (0.5, 0.46),
        (0.5, 0.22),
    ],
    "hatchback": [
        (-0.5, 0.28),
        (-0.5, 0.6),
        (-0.44, 0.92),
        (-0.36, 1.0),
        (0.06, 1.0),
        (0.24, 0.66),
        (0.45, 0.58),
        (0.5, 0.46),
        (0.5, 0.22),
    ],
    "van": [
        (-0.5, 0.16),
        (-0.5, 0.97),
        (-0.47, 1.0),
        (0.18, 1.0),
        (0.25, 0.97),
        (0.36, 0.6),
        (0.48, 0.48),
        (0.5, 0.38),
        (0.5, 0.16),
    ],
    "bus": [
        (-0.5, 0.13),
        (-0.5, 0.97),
        (-0.48, 1.0),
        (0.45, 1.0),
        (0.49, 0.94),
        (0.5, 0.4),
        (0.5, 0.13),
    ],
}
"""Side outlines; x in lengths, y in heights above the ground."""
_GLASS: dict[str, list[list[Point]]] = {
    "car": [
        [(-0.28, 0.68), (-0.18, 0.93), (-0.06, 0.93), (-0.06, 0.68)],
        [(-0.03, 0.68), (-0.03, 0.93), (0.08, 0.93), (0.2, 0.68)],
    ],
    "hatchback": [
        [(-0.43, 0.66), (-0.37, 0.92), (-0.2, 0.92), (-0.2, 0.66)],
        [(-0.17, 0.66), (-0.17, 0.92), (0.04, 0.92), (0.17, 0.66)],
    ],
    "van": [[(0.1, 0.6), (0.1, 0.9), (0.22, 0.9), (0.31, 0.6)]],
    "bus": [
        [(x, 0.5), (x, 0.88), (x + 0.12, 0.88), (x + 0.12, 0.5)]
        for x in (-0.47, -0.33, -0.19, -0.05, 0.09)
    ]
    + [[(0.36, 0.42), (0.36, 0.88), (0.47, 0.88), (0.485, 0.42)]],
}
_AXLES = {"car": (-0.31, 0.31), "hatchback": (-0.33, 0.32), "van": (-0.31, 0.3), "bus": (-0.3, 0.3)}
_CLEARANCE = 0.16


def draw_vehicle(look: VehicleLook, phase: int) -> Sprite:
    """Paint a vehicle; `phase` (0 to `WHEEL_PHASES` - 1) turns the wheels."""
    margin = 0.35
    size = (look.length_m + 2 * margin, look.height_m + 2 * margin)
    canvas = SpriteCanvas(size, (size[0] / 2, size[1] - margin), _UNIT_PX)
    body = _scale_points(look, _OUTLINES[look.shape])
    _draw_roof(canvas, look)
    canvas.cloth([(x, min(y, -_CLEARANCE)) for x, y in body], look.paint)
    _draw_trim(canvas, look)
    for pane in _GLASS[look.shape]:
        canvas.polygon(_scale_points(look, pane), look.glass)
        _draw_gleam(canvas, _scale_points(look, pane), look.glass)
    canvas.light(1.06, 0.9)
    for axle in _AXLES[look.shape]:
        _draw_wheel(canvas, look, axle * look.length_m, phase)
    canvas.shadow((0.0, -0.02), (look.length_m * 0.53, 0.16), 120)
    return Sprite.of(canvas)


def _scale_points(look: VehicleLook, points: list[Point]) -> list[Point]:
    return [(x * look.length_m, -y * look.height_m) for x, y in points]


def _draw_gleam(canvas: SpriteCanvas, pane: list[Point], glass: Colour) -> None:
    (x0, y0), (x1, y1) = pane[0], pane[1]
    canvas.stroke([(x0 + 0.12, y0 - 0.05), (x1 + 0.12, y1 + 0.05)], 0.05, shade(glass, 1.7))


def _draw_trim(canvas: SpriteCanvas, look: VehicleLook) -> None:
    """Sill, stripe, doors and lamps."""
    half, height = look.length_m / 2, look.height_m
    sill = [(-half, -_CLEARANCE), (half, -_CLEARANCE)]
    low = _box(-half + 0.03, half - 0.03, -0.36, -_CLEARANCE)
    canvas.polygon(low, shade(look.paint.colour, 0.62))
    if look.stripe is not None:
        level = -0.4 * height
        canvas.stroke([(-half + 0.08, level), (half - 0.12, level)], 0.13 * height, look.stripe)
    if look.shape == "van" and look.stripe is not None:
        canvas.ellipse((-0.2 * look.length_m, -0.68 * height), (0.5, 0.3), look.stripe)
    for share in (-0.05, 0.2) if look.shape != "bus" else (0.23, 0.34):
        x, top = share * look.length_m, -0.62 * height
        canvas.stroke([(x, -0.3), (x, top)], 0.025, shade(look.paint.colour, 0.6))
    front, back = (half - 0.1, -0.42 * height), (-half + 0.06, -0.48 * height)
    canvas.ellipse(front, (0.1, 0.09), (190, 240, 255))
    canvas.ellipse(back, (0.06, 0.11), (40, 40, 215))
    canvas.stroke(sill, 0.05, (45, 45, 45))


def _draw_wheel(canvas: SpriteCanvas, look: VehicleLook, x: float, phase: int) -> None:
    radius = 0.34 if look.shape in ("car", "hatchback") else 0.4
    centre = (x, -radius)
    canvas.ellipse(centre, (radius * 1.14, radius * 1.14), shade(look.paint.colour, 0.4))
    canvas.ellipse(centre, (radius, radius), (32, 32, 32))
    canvas.ellipse(centre, (radius * 0.62, radius * 0.62), look.rim)
    for spoke in range(3):
        angle = 2 * pi * (spoke / 3 + phase / (3 * WHEEL_PHASES))
        tip = (x + 0.58 * radius * cos(angle), -radius + 0.58 * radius * sin(angle))
        canvas.stroke([centre, tip], 0.05, shade(look.rim, 0.5))


def _draw_roof(canvas: SpriteCanvas, look: VehicleLook) -> None:
    top, length = -look.height_m, look.length_m
    if look.shape == "bus":
        box = Cloth(shade(look.paint.colour, 0.8), look.roof_colour)
        canvas.cloth(_box(-0.25 * length, 0.05 * length, top - 0.14, top + 0.05), box)
    elif look.roof == "rack":
        canvas.polygon(_box(-0.22 * length, 0.04 * length, top - 0.2, top + 0.05), look.roof_colour)
        canvas.stroke(
            [(-0.24 * length, top - 0.02), (0.06 * length, top - 0.02)], 0.05, (40, 40, 40)
        )
    elif look.roof == "sign":
        canvas.polygon(_box(-0.1 * length, 0.0, top - 0.17, top + 0.05), (60, 225, 250))


def _box(left: float, right: float, top: float, bottom: float) -> list[Point]:
    return [(left, bottom), (left, top), (right, top), (right, bottom)]
