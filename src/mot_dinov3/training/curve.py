"""The picture of a training run: the loss over the steps, and what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from mot_dinov3.errors import cannot_write
from mot_dinov3.io.write.paths import publish, reserve_partial
from mot_dinov3.training.log import Entry

CURVE_FILE = "curve.png"

Colour: TypeAlias = tuple[int, int, int]
Spot: TypeAlias = tuple[float, float]

FINE = 2
"""Drawn this much larger, then made smaller: smooth lines."""
WIDTH, PANEL_HEIGHT = 900, 260
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 34, 30
INK, GRID = (38, 38, 42), (225, 225, 230)
COLOURS: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
)
"""Okabe and Ito's colours, which people with any colour vision tell apart."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a panel.

    Attributes:
        name: what it is called.
        spots: (step, value) pairs, by step.
    """

    name: str
    spots: tuple[Spot, ...]


def draw_curve(entries: Sequence[Entry], path: Path) -> None:
    """Write the curves of a log as PNG: a panel of the loss and its terms, one of evaluations.

    Raises:
        OutputError: it cannot be written.
    """
    losses = [(e["step"], {"loss": e["loss"], **e["terms"]}) for e in entries if "loss" in e]
    merits = [(e["step"], e["evaluation"]) for e in entries if "evaluation" in e]
    panels = [series for series in (collect_series(losses), collect_series(merits)) if series]
    if not panels:
        return
    size = (WIDTH * FINE, PANEL_HEIGHT * len(panels) * FINE)
    picture = Image.new("RGB", size, "white")
    for number, series in enumerate(panels):
        _Panel(picture, number * PANEL_HEIGHT, series).draw()
    picture = picture.resize((size[0] // FINE, size[1] // FINE), Image.Resampling.LANCZOS)
    partial = reserve_partial(path)
    try:
        picture.save(partial, "PNG")
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise cannot_write(path, error) from error
    publish(partial, path, replace=True)


def collect_series(points: Iterable[tuple[int, Mapping[str, float]]]) -> list[Series]:
    """One series a name, in the order in which names come up; numbers that are none are left out.

    Args:
        points: step, and values by name.
    """
    spots: dict[str, list[Spot]] = {}
    for step, values in points:
        for name, value in values.items():
            if math.isfinite(value):
                spots.setdefault(name, []).append((float(step), value))
    return [Series(name, tuple(own)) for name, own in spots.items()]


class _Panel:
    """A plot with its grid, its legend and its lines."""

    def __init__(self, picture: Image.Image, top: int, series: Sequence[Series]) -> None:
        self._pen = ImageDraw.Draw(picture)
        self._font = ImageFont.load_default(11 * FINE)
        self._series = series
        self._top = top
        xs = [x for line in series for x, _ in line.spots]
        ys = [y for line in series for _, y in line.spots]
        self._x = (min(xs), max(max(xs), min(xs) + 1))
        air = max(0.05 * (max(ys) - min(ys)), 1e-6)
        self._y = (min(ys) - air, max(ys) + air)

    def draw(self) -> None:
        """Draw everything."""
        for part in (0.0, 0.25, 0.5, 0.75, 1.0):
            value = self._y[0] + part * (self._y[1] - self._y[0])
            step = self._x[0] + part * (self._x[1] - self._x[0])
            left, level = self._place((self._x[0], value))
            right, _ = self._place((self._x[1], value))
            across, bottom = self._place((step, self._y[0]))
            self._pen.line([(left, level), (right, level)], GRID, FINE)
            self._write((left - 6 * FINE, level), f"{value:.4g}", "rm", INK)
            self._write((across, bottom + 6 * FINE), f"{step:.0f}", "mt", INK)
        cursor = LEFT * FINE
        for number, line in enumerate(self._series):
            colour = COLOURS[number % len(COLOURS)]
            self._pen.line([self._place(spot) for spot in line.spots], colour, 2 * FINE)
            for x, y in map(self._place, line.spots[-1:] if len(line.spots) > 40 else line.spots):
                self._pen.ellipse((x - 4, y - 4, x + 4, y + 4), colour)
            self._write((cursor, (self._top + TOP / 2) * FINE), line.name, "lm", colour)
            cursor += round(self._font.getlength(line.name)) + 16 * FINE

    def _place(self, spot: Spot) -> Spot:
        across = (spot[0] - self._x[0]) / (self._x[1] - self._x[0])
        up = (spot[1] - self._y[0]) / (self._y[1] - self._y[0])
        x = LEFT + across * (WIDTH - LEFT - RIGHT)
        y = self._top + PANEL_HEIGHT - BOTTOM - up * (PANEL_HEIGHT - TOP - BOTTOM)
        return x * FINE, y * FINE

    def _write(self, spot: Spot, words: str, anchor: str, colour: Colour) -> None:
        self._pen.text(spot, words, colour, self._font, anchor)
