"""Wide things that hide a whole group: hoardings with posters, and market stalls."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mot_dinov3.data.synthetic.looks import dye, vary
from mot_dinov3.data.synthetic.paint import Point, Sprite, SpriteCanvas, shade

BODY_M = 0.75
"""Half of the widest person with bag and stride, in metres, and some room."""
_UNIT_PX = 60
_PANEL_M = 1.2


def draw_hoarding(rng: np.random.Generator, width_m: float, height_m: float = 2.4) -> Sprite:
    """Boards around a building site, some with a poster; no one can see through or over them."""
    canvas, half = _open_canvas(width_m, height_m), width_m / 2
    board = vary(rng, (120, 150, 165), 30)
    canvas.polygon(_box(-half, half, -height_m, 0.0), board)
    edges = np.linspace(-half, half, max(1, round(width_m / _PANEL_M)) + 1)
    for left, right in pairwise(edges):
        canvas.stroke([(right, -0.02), (right, -height_m)], 0.04, shade(board, 0.65))
        if rng.random() < 0.6:
            paper = _box(left + 0.2, right - 0.2, -height_m * 0.85, -height_m * 0.3)
            canvas.polygon(paper, dye(rng))
            stripe = -height_m * float(rng.uniform(0.45, 0.7))
            canvas.stroke([(left + 0.32, stripe), (right - 0.32, stripe)], 0.12, dye(rng))
    canvas.stroke([(-half, -height_m), (half, -height_m)], 0.1, shade(board, 0.6))
    canvas.stroke([(-half, -0.08), (half, -0.08)], 0.14, shade(board, 0.5))
    canvas.light(1.05, 0.85)
    canvas.shadow((0, 0), (half * 1.04, 0.14))
    return Sprite.of(canvas)


def draw_stall(rng: np.random.Generator, width_m: float, height_m: float = 2.3) -> Sprite:
    """A market stall with a striped awning, seen from behind: cloth down to the ground."""
    canvas, half = _open_canvas(width_m, height_m), width_m / 2
    cloth, awning, second = dye(rng), dye(rng), (235, 235, 235)
    canvas.polygon(_box(-half, half, -height_m * 0.75, 0.0), cloth)
    for x in np.arange(-half, half, 0.4):
        canvas.stroke([(x, -0.05), (x, -height_m * 0.75)], 0.03, shade(cloth, 0.8))
    stripes = max(2, round(width_m / 0.5))
    edges = np.linspace(-half - 0.15, half + 0.15, stripes + 1)
    for number, (left, right) in enumerate(pairwise(edges)):
        colour = awning if number % 2 else second
        canvas.polygon(_box(left, right, -height_m, -height_m * 0.72), colour)
    canvas.light(1.05, 0.85)
    canvas.shadow((0, 0), (half * 1.04, 0.14))
    return Sprite.of(canvas)


def _open_canvas(width_m: float, height_m: float) -> SpriteCanvas:
    size = (width_m * 1.1 + 0.6, height_m + 0.6)
    return SpriteCanvas(size, (size[0] / 2, height_m + 0.25), _UNIT_PX)


def _box(left: float, right: float, top: float, bottom: float) -> list[Point]:
    return [(left, bottom), (left, top), (right, top), (right, bottom)]
