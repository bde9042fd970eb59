"""The picture of a study: quality over share of crops and over time, a row per source."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from mot_dinov3.errors import cannot_write
from mot_dinov3.io.write.paths import publish, reserve_partial
from mot_dinov3.lab.recordings.front import find_pareto_front, group_by_family, quality_ends
from mot_dinov3.lab.recordings.policies import REPLAY_POLICIES
from mot_dinov3.lab.recordings.report import group_by_source, quality_name
from mot_dinov3.lab.recordings.study import CEILING, FLOOR, Point
from mot_dinov3.wording import counted

Colour: TypeAlias = tuple[int, int, int]
Spot: TypeAlias = tuple[float, float]
Cost: TypeAlias = Callable[[Point], float]

FINE = 2
"""Drawn this much larger, then made smaller: smooth lines."""

WIDTH, PANEL_HEIGHT, HEAD, FOOT = 1180, 330, 74, 16
LEFT, RIGHT, TOP, BOTTOM = 58, 58, 46, 50
INK, FAINT, GRID = (38, 38, 42), (120, 120, 126), (228, 228, 232)
FRONT = (196, 196, 204)
COLOURS: tuple[Colour, ...] = (
    *((213, 94, 0), (0, 114, 178), (0, 0, 0), (120, 120, 126)),
    *((230, 159, 0), (0, 158, 115), (204, 121, 167)),
)
"""Of the policies in the order of their table: Okabe and Ito's colours, which people with any
colour vision tell apart, and a grey."""
SPARE: tuple[Colour, ...] = ((86, 180, 233), (150, 110, 60), (120, 90, 200), (190, 190, 60))
"""Of policies with cheap evidence, and of those that were added."""


def save_picture(points: Sequence[Point], path: Path) -> None:
    """Write the picture as PNG, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    picture = draw_picture(points)
    partial = reserve_partial(path)
    try:
        picture.save(partial, "PNG", optimize=True)
    except OSError as error:
        os.unlink(partial)  # noqa: PTH108 - nothing of a half picture stays
        raise cannot_write(path, error) from error
    publish(partial, path, replace=True)


def draw_picture(points: Sequence[Point]) -> Image.Image:
    """Draw all panels: left over the share of crops, right over milliseconds a frame."""
    rows = group_by_source(points)
    height = HEAD + PANEL_HEIGHT * len(rows) + FOOT
    canvas = PlotCanvas(WIDTH, height)
    _draw_legend(canvas, points)
    for number, (source, own) in enumerate(reversed(rows.items())):
        top = HEAD + number * PANEL_HEIGHT
        half = WIDTH / 2
        title = f"{source}  ({counted(own[0].frames, 'frame')})"
        _draw_panel(canvas, own, (0, top), (title, "share of crops embedded, %"), _percent)
        _draw_panel(canvas, own, (half, top), ("", "milliseconds a frame, recorded costs"), _ms)
    return canvas.render()


def _percent(point: Point) -> float:
    return 100 * point.share


def _ms(point: Point) -> float:
    return point.frame_ms


class PlotCanvas:
    """A white picture whose pixels are counted before it is made smooth."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self._image = Image.new("RGB", (width * FINE, height * FINE), "white")
        self._pen = ImageDraw.Draw(self._image)
        self._fonts: dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {}

    def render(self) -> Image.Image:
        """The picture in its real size."""
        return self._image.resize(self.size, Image.Resampling.LANCZOS)

    def draw_line(self, spots: Sequence[Spot], colour: Colour, width: float = 1.0) -> None:
        """Draw a line through the spots."""
        scaled = [(x * FINE, y * FINE) for x, y in spots]
        self._pen.line(scaled, colour, round(width * FINE), joint="curve")

    def draw_dashes(self, start: Spot, end_x: float, colour: Colour) -> None:
        """Draw a level dashed line."""
        x, y = start
        while x < end_x:
            self.draw_line([(x, y), (min(x + 5, end_x), y)], colour)
            x += 9

    def draw_dot(self, spot: Spot, radius: float, colour: Colour, *, ring: bool = False) -> None:
        """Draw a filled circle with a white rim, and a dark ring around it if `ring`."""
        for size, fill in (
            (radius + 2.6, INK if ring else None),
            (radius + 1.3, (255, 255, 255)),
            (radius, colour),
        ):
            if fill is not None:
                x, y = spot[0] * FINE, spot[1] * FINE
                r = size * FINE
                self._pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def draw_text(
        self, spot: Spot, words: str, anchor: str, colour: Colour = INK, size: int = 12
    ) -> None:
        """Words at a spot; the anchor is Pillow's, such as "lm" for left and middle."""
        where = (spot[0] * FINE, spot[1] * FINE)
        self._pen.text(where, words, colour, self._font(size), anchor)

    def measure_width(self, words: str, size: int = 12) -> float:
        """Pixels that words take."""
        return float(self._font(size).getlength(words)) / FINE

    def _font(self, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        if size not in self._fonts:
            self._fonts[size] = ImageFont.load_default(size * FINE)
        return self._fonts[size]


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels along one axis."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where a value lies."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def scale_of(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale with some air around the values."""
    low, high = min(values), max(values)
    air = max(0.06 * (high - low), 1e-3 * abs(high), 0.05)
    return Scale(low - air, high + air, start, end)


def round_ticks(scale: Scale, most: int = 6) -> list[float]:
    """Round numbers inside a scale, at most so many: steps of 1, 2 or 5 times a power of ten."""
    rough = (scale.high - scale.low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= rough)
    first = math.ceil(scale.low / step)
    return [round(n * step, 6) for n in range(first, math.floor(scale.high / step) + 1)]


def _draw_panel(
    canvas: PlotCanvas, points: Sequence[Point], corner: Spot, words: tuple[str, str], cost: Cost
) -> None:
    """Draw one diagram: grid, the ends of the gap, the front, and a line of dots per family."""
    title, below = words
    left, top = corner[0] + LEFT, corner[1] + TOP
    right, bottom = corner[0] + WIDTH / 2 - RIGHT, corner[1] + PANEL_HEIGHT - BOTTOM
    x = scale_of([cost(point) for point in points], left, right)
    y = scale_of([point.quality for point in points], bottom, top)
    canvas.draw_text((corner[0] + 18, corner[1] + 14), title, "lm", INK, 15)
    _draw_grid(canvas, (x, y), below, quality_name(points))
    for case, level in zip((FLOOR, CEILING), quality_ends(points), strict=True):
        canvas.draw_dashes((left, y(level)), right, FAINT)
        canvas.draw_text((right + 5, y(level)), case.title, "lm", FAINT, 11)
    best = find_pareto_front(points, cost)
    spots = [(x(cost(point)), y(point.quality)) for point in best]
    steps = [spots[0]]
    for before, here in pairwise(spots):
        steps += [(here[0], before[1]), here]
    canvas.draw_line([*steps, (right, steps[-1][1])], FRONT, 5)
    for family, own in group_by_family(points).items():
        for draw_line in split_into_lines(own):
            canvas.draw_line(
                [(x(cost(p)), y(p.quality)) for p in sorted(draw_line, key=cost)],
                colour_of(family),
                1.6,
            )
    taken: list[Spot] = []
    for point in points:
        spot = (x(cost(point)), y(point.quality))
        canvas.draw_dot(spot, 4.0, colour_of(point.case.line), ring=point in best)
        taken.append(spot)
    for point in [*best, *(point for point in points if point not in best)]:
        _draw_label(canvas, point, (x(cost(point)), y(point.quality)), taken)


def _draw_grid(canvas: PlotCanvas, scales: tuple[Scale, Scale], below: str, beside: str) -> None:
    x, y = scales
    for value in round_ticks(x):
        canvas.draw_line([(x(value), y.start), (x(value), y.end)], GRID)
        canvas.draw_text((x(value), y.start + 11), f"{value:g}", "mm", FAINT, 11)
    for value in round_ticks(y):
        canvas.draw_line([(x.start, y(value)), (x.end, y(value))], GRID)
        canvas.draw_text((x.start - 7, y(value)), f"{value:g}", "rm", FAINT, 11)
    canvas.draw_line([(x.start, y.end), (x.start, y.start), (x.end, y.start)], FAINT, 1.2)
    canvas.draw_text(((x.start + x.end) / 2, y.start + 29), below, "mm", INK, 12)
    canvas.draw_text((x.start, y.end - 11), beside, "lm", INK, 12)


def split_into_lines(points: Sequence[Point]) -> list[list[Point]]:
    """Split into lines: the arguments of a family at each budget, or one argument's budgets."""
    arguments = {point.case.policy for point in points}
    lines: dict[object, list[Point]] = {}
    for point in points:
        budget = (point.case.budget_ms, point.case.budget_crops)
        lines.setdefault(budget if len(arguments) > 1 else 0, []).append(point)
    return [draw_line for draw_line in lines.values() if len(draw_line) > 1]


def _draw_label(canvas: PlotCanvas, point: Point, spot: Spot, taken: list[Spot]) -> None:
    """Write argument and budget beside a dot, where no other words or dots are; else nothing."""
    words = point.case.title.removeprefix(point.case.family).replace("+cheap", "").strip(": ")
    wide = canvas.measure_width(words, 10)
    for x, y in ((spot[0] + 8, spot[1] + 9), (spot[0] - wide - 8, spot[1] - 9)):
        box = [(x + step, y) for step in (0.0, wide / 2, wide)]
        if words and all(abs(a - c) > 9 or abs(b - d) > 8 for a, b in box for c, d in taken):
            canvas.draw_text((x, y), words, "lm", colour_of(point.case.line), 10)
            taken += [(x + step, y) for step in range(0, round(wide) + 1, 6)]
            return


def colour_of(family: str) -> Colour:
    """The colour of a family: always the same one."""
    known = dict(zip(REPLAY_POLICIES, COLOURS, strict=False))
    return known.get(family) or SPARE[sum(family.encode()) % len(SPARE)]


def _draw_legend(canvas: PlotCanvas, points: Sequence[Point]) -> None:
    canvas.draw_text((18, 20), "Identity quality against embedding work", "lm", INK, 18)
    at = 22.0
    for family in group_by_family(points):
        canvas.draw_dot((at, 50), 4.5, colour_of(family))
        canvas.draw_text((at + 10, 50), family, "lm", INK, 13)
        at += 30 + canvas.measure_width(family, 13)
    canvas.draw_line([(at, 50), (at + 26, 50)], FRONT, 5)
    canvas.draw_text((at + 34, 50), "Pareto front, its points ringed", "lm", FAINT, 13)
