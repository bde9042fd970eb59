"""Sprites of people: seen from the side, the front or the back, in the phases of a step.

A person is painted facing right in units of the body height: feet on y = 0, crown at y = -1.
"""

from __future__ import annotations

from math import cos, pi, sin

from mot_dinov3.data.synthetic.looks import PersonLook
from mot_dinov3.data.synthetic.paint import Cloth, Colour, Point, Sprite, SpriteCanvas, shade

PHASES = 12
STANDING = -1
SHOULDER, HIP, KNEE_LENGTH, SHIN_LENGTH = -0.80, -0.48, 0.235, 0.235
_UNIT_PX = 240.0
_FAR_SIDE = 0.72


def draw_person(look: PersonLook, view: str, phase: int) -> Sprite:
    """Paint a person.

    Args:
        look: who it is.
        view: "side" (facing right), "front" or "back".
        phase: 0 to `PHASES` - 1 through one double step, or `STANDING`.
    """
    canvas = SpriteCanvas((0.9, 1.16), (0.45, 1.10), _UNIT_PX)
    angle = 2 * pi * phase / PHASES
    swing = 0.0 if phase == STANDING else 1.0
    if view == "side":
        _draw_side(canvas, look, angle, swing)
    else:
        _draw_frontal(canvas, look, (angle, swing), facing_us=view == "front")
    canvas.light(1.08, 0.82)
    canvas.shadow((0.0, -0.005), (0.24, 0.045))
    return Sprite.of(canvas)


def _leg_points(angle: float, swing: float) -> list[Point]:
    """Hip, knee, ankle and toe of a leg whose step is at `angle`, with the hip at (0, 0)."""
    thigh = 0.48 * swing * sin(angle)
    shin = thigh - 0.75 * swing * max(0.0, cos(angle))
    knee = (KNEE_LENGTH * sin(thigh), KNEE_LENGTH * cos(thigh))
    ankle = (knee[0] + SHIN_LENGTH * sin(shin), knee[1] + SHIN_LENGTH * cos(shin))
    return [(0.0, 0.0), knee, ankle, (ankle[0] + 0.07 * cos(shin), ankle[1] - 0.07 * sin(shin))]


def _shift_points(points: list[Point], dx: float, dy: float) -> list[Point]:
    return [(x + dx, y + dy) for x, y in points]


def _draw_side(canvas: SpriteCanvas, look: PersonLook, angle: float, swing: float) -> None:
    near, far = _leg_points(angle, swing), _leg_points(angle + pi, swing)
    hip = -max(near[2][1], far[2][1], near[3][1], far[3][1])
    lift = hip - HIP
    _draw_leg(canvas, look, _shift_points(far, 0.0, hip), _FAR_SIDE)
    _draw_side_arm(canvas, look, (angle, swing, lift), _FAR_SIDE)
    if look.bag == "backpack":
        _draw_backpack_beside(canvas, look, lift)
    _draw_leg(canvas, look, _shift_points(near, 0.0, hip), 1.0)
    wide = 0.085 * look.build
    hem = -0.30 if look.bottom == "coat" else HIP + 0.03
    if look.bottom == "skirt":
        _draw_skirt(canvas, look, wide, lift)
    _draw_torso(canvas, look.top, (wide, wide * 1.05), (SHOULDER - 0.03 + lift, hem + lift))
    _draw_side_arm(canvas, look, (angle + pi, swing, lift), 1.0)
    if look.bag == "handbag":
        _draw_handbag(canvas, look, (0.02 - 0.1 * swing * sin(angle), -0.36 + lift))
    _draw_head(canvas, look, (0.02, -0.905 + lift), "side")


def _draw_leg(canvas: SpriteCanvas, look: PersonLook, points: list[Point], light: float) -> None:
    thick = 0.082 * look.build
    upper = look.skin if look.bottom == "skirt" else look.lower.colour
    lower = look.skin if look.bottom in ("skirt", "shorts") else look.lower.colour
    canvas.stroke(points[1:3], thick * 0.8, shade(lower, light))
    canvas.stroke(points[:2], thick, shade(upper, light))
    canvas.stroke(points[2:], thick * 0.62, shade(look.shoes, light))


def _draw_side_arm(
    canvas: SpriteCanvas, look: PersonLook, pose: tuple[float, float, float], light: float
) -> None:
    angle, swing, lift = pose
    upper = -0.55 * swing * sin(angle)
    fore = upper + 0.35
    shoulder = (0.0, SHOULDER + 0.03 + lift)
    elbow = (shoulder[0] + 0.15 * sin(upper), shoulder[1] + 0.15 * cos(upper))
    hand = (elbow[0] + 0.15 * sin(fore), elbow[1] + 0.15 * cos(fore))
    _draw_arm(canvas, look, [shoulder, elbow, hand], light)


def _draw_arm(canvas: SpriteCanvas, look: PersonLook, points: list[Point], light: float) -> None:
    thick = 0.055 * look.build
    sleeve = shade(look.top.colour, 0.86 * light)
    canvas.stroke(points[1:], thick * 0.85, sleeve if look.sleeves else shade(look.skin, light))
    canvas.stroke(points[:2], thick, sleeve)
    canvas.ellipse(points[2], (thick * 0.5, thick * 0.5), shade(look.skin, light))


def _draw_torso(
    canvas: SpriteCanvas, cloth: Cloth, half_widths: tuple[float, float], span: tuple[float, float]
) -> None:
    """A rounded trunk between two heights, half as wide as given at the top and at the bottom."""
    (upper, lower), (top, hem) = half_widths, span
    outline = [
        (-upper * 0.55, top),
        (upper * 0.55, top),
        (upper, top + 0.05),
        (lower, hem),
        (-lower, hem),
        (-upper, top + 0.05),
    ]
    canvas.cloth(outline, cloth)


def _draw_skirt(canvas: SpriteCanvas, look: PersonLook, wide: float, lift: float) -> None:
    top, hem = -0.55 + lift, -0.25 + lift
    outline = [(-wide, top), (wide, top), (wide * 1.75, hem), (-wide * 1.75, hem)]
    canvas.cloth(outline, look.lower)


def _draw_backpack_beside(canvas: SpriteCanvas, look: PersonLook, lift: float) -> None:
    centre = (-0.105 * look.build, -0.68 + lift)
    canvas.ellipse(centre, (0.075, 0.125), look.bag_colour)
    canvas.ellipse((centre[0] - 0.02, centre[1] + 0.05), (0.05, 0.06), shade(look.bag_colour, 0.8))


def _draw_handbag(canvas: SpriteCanvas, look: PersonLook, at: Point) -> None:
    x, y = at
    canvas.stroke([(x - 0.04, y), (x, y - 0.1), (x + 0.04, y)], 0.012, shade(look.bag_colour, 0.7))
    box = [(x - 0.06, y), (x + 0.06, y), (x + 0.075, y + 0.1), (x - 0.075, y + 0.1)]
    canvas.polygon(box, look.bag_colour)


def _draw_frontal(
    canvas: SpriteCanvas, look: PersonLook, step: tuple[float, float], *, facing_us: bool
) -> None:
    angle, swing = step
    wide = 0.125 * look.build
    for side in (-1.0, 1.0):
        raised = 0.085 * swing * max(0.0, side * sin(angle))
        x = side * 0.048 * look.build
        points = [(x, HIP), (x * 1.1, -0.245 - raised), (x, -0.03 - raised), (x * 1.3, -raised)]
        _draw_leg(canvas, look, points, 1.0 if raised == 0 else 0.88)
    if look.bottom == "skirt":
        _draw_skirt(canvas, look, wide * 0.75, 0.0)
    for side in (-1.0, 1.0):
        raised = 0.03 * swing * side * sin(angle)
        x = side * wide
        elbow, hand = (x * 1.2, SHOULDER + 0.19), (x * 1.15, SHOULDER + 0.32 + raised)
        _draw_arm(canvas, look, [(x * 0.95, SHOULDER + 0.03), elbow, hand], 1.0)
    hem = -0.30 if look.bottom == "coat" else HIP + 0.03
    _draw_torso(canvas, look.top, (wide, wide * 0.82), (SHOULDER - 0.03, hem))
    _draw_frontal_bag(canvas, look, wide, facing_us=facing_us)
    _draw_head(canvas, look, (0.0, -0.905), "front" if facing_us else "back")


def _draw_frontal_bag(
    canvas: SpriteCanvas, look: PersonLook, wide: float, *, facing_us: bool
) -> None:
    if look.bag == "handbag":
        _draw_handbag(canvas, look, (wide * 1.25, -0.38))
    elif look.bag == "backpack" and facing_us:
        for side in (-1.0, 1.0):
            x = side * wide * 0.62
            canvas.stroke([(x, SHOULDER - 0.02), (x, SHOULDER + 0.17)], 0.024, look.bag_colour)
    elif look.bag == "backpack":
        canvas.ellipse((0.0, -0.68), (wide * 0.85, 0.135), look.bag_colour)
        canvas.ellipse((0.0, -0.63), (wide * 0.6, 0.06), shade(look.bag_colour, 0.8))


def _draw_head(canvas: SpriteCanvas, look: PersonLook, centre: Point, view: str) -> None:
    x, y = centre
    canvas.stroke([(x - 0.015, y + 0.04), (x - 0.015, y + 0.1)], 0.05, shade(look.skin, 0.85))
    back = {"side": -0.022, "front": 0.0, "back": 0.0}[view]
    if look.hair_style == "long":
        canvas.ellipse((x + back * 1.6, y + 0.035), (0.07, 0.1), look.hair)
    if look.hair_style == "bun":
        canvas.ellipse((x + back * 3.2, y - 0.06), (0.035, 0.035), look.hair)
    canvas.ellipse((x, y), (0.062, 0.078), look.skin)
    if look.hair_style != "bald":
        _draw_hair(canvas, look.hair, (x, y), view)
    if look.hat != "none":
        _draw_hat(canvas, look, (x, y), view)


def _draw_hair(canvas: SpriteCanvas, colour: Colour, centre: Point, view: str) -> None:
    x, y = centre
    if view == "back":
        canvas.ellipse((x, y), (0.064, 0.08), colour)
        return
    canvas.ellipse((x, y - 0.012), (0.067, 0.075), colour, (180, 360))
    if view == "side":
        canvas.ellipse((x - 0.03, y - 0.005), (0.04, 0.062), colour)


def _draw_hat(canvas: SpriteCanvas, look: PersonLook, centre: Point, view: str) -> None:
    x, y = centre[0], centre[1] - 0.022
    canvas.ellipse((x, y), (0.071, 0.078), look.hat_colour, (180, 360))
    if look.hat == "brim":
        canvas.ellipse((x, y), (0.125, 0.02), shade(look.hat_colour, 0.8))
    elif look.hat == "cap" and view == "side":
        canvas.stroke([(x + 0.05, y), (x + 0.115, y + 0.008)], 0.02, shade(look.hat_colour, 0.8))
    elif look.hat == "cap" and view == "front":
        canvas.ellipse((x, y), (0.066, 0.022), shade(look.hat_colour, 0.75))
    elif look.hat == "beanie":
        canvas.stroke([(x - 0.06, y), (x + 0.06, y)], 0.03, shade(look.hat_colour, 1.25))
        canvas.ellipse((x, y - 0.08), (0.022, 0.022), shade(look.hat_colour, 1.25))
