"""Lines and zones as a user writes them: `NAME=x1,y1,x2,y2,...`, in pixels or shares."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from mot_dinov3.errors import UsageError

Point = tuple[float, float]
"""x and y, counted from the upper left corner of the picture."""

BETWEEN = re.compile(r",(?=[^,=]*=)")
"""The comma between two shapes: a name and an equals sign follow."""
LONGEST_NAME, MOST_CORNERS = 40, 200
LIKE = {
    "--line": "--line NAME=x1,y1,x2,y2, such as --line door=0.5,0,0.5,1",
    "--zone": "--zone NAME=x1,y1,x2,y2,x3,y3,..., such as --zone yard=0,0.5,1,0.5,1,1,0,1",
}
"""Flag -> how its value is written."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A line or a zone.

    Attributes:
        flag: that it was given with.
        name: of its own, as counts and events call it.
        points: ends of a line, or corners of a zone in order.
        in_shares: they are shares of the picture's width and height, else pixels.
    """

    flag: str
    name: str
    points: tuple[Point, ...]
    in_shares: bool

    def to_pixels(self, width: int, height: int) -> tuple[Point, ...]:
        """The points in pixels of a picture.

        Raises:
            UsageError: one of them is outside of it, or there is nothing of a pixel's size.
        """
        scale = (width, height) if self.in_shares else (1, 1)
        points = tuple((x * scale[0], y * scale[1]) for x, y in self.points)
        for x, y in points:
            if not (x <= width and y <= height):
                raise self._refuse(
                    f"has the point {x:g},{y:g}, which is outside the", (width, height)
                )
        whole = tuple((float(round(x)), float(round(y))) for x, y in points)
        if whole[0] == whole[1] if len(whole) == 2 else not area_of(whole):
            raise self._refuse("is smaller than a pixel of the", (width, height))
        return points

    def _refuse(self, reason: str, size: tuple[int, int]) -> UsageError:
        return UsageError(
            f"{self.flag} '{self.name}' {reason} picture of {size[0]} x {size[1]} pixels.",
            fix="Give points inside of it, in pixels or as shares of the picture from 0 to 1.",
        )

    @property
    def text(self) -> str:
        """The shape as it is written."""
        return f"{self.name}={','.join(f'{value:g}' for point in self.points for value in point)}"


def split_shapes(text: str) -> list[str]:
    """The single shapes in a value that may hold several, separated by commas."""
    return BETWEEN.split(text) if text else []


def parse_shapes(flag: str, text: str) -> tuple[Shape, ...]:
    """The shapes that the value of a flag holds, in order.

    Args:
        flag: `--line` or `--zone`.
        text: none, one or several of `NAME=x1,y1,...`, separated by commas.

    Raises:
        UsageError: one of them is not a line or a zone; it says which and why.
    """
    return tuple(parse_shape(flag, word) for word in split_shapes(text))


def parse_shape(flag: str, word: str) -> Shape:
    """A single `NAME=x1,y1,...`.

    Raises:
        UsageError: it is not a line or a zone.
    """
    name, given, rest = word.partition("=")
    name = name.strip()
    if not given or not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise _refuse(flag, f"must begin with a name of at most {LONGEST_NAME} letters, got {word}")
    numbers = _read_numbers(flag, name, rest)
    points = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    whole = all(value > 1 or value in (0, 1) for value in numbers)
    in_shares = max(numbers) <= 1
    if not in_shares and not whole:
        raise _refuse(flag, f"'{name}' mixes pixels and shares of the picture")
    if flag == "--line":
        _check_line(flag, name, points)
    else:
        _check_zone(flag, name, points)
    return Shape(flag, name, points, in_shares)


def _read_numbers(flag: str, name: str, text: str) -> list[float]:
    words = [word.strip() for word in text.split(",")]
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        wrong = next(word for word in words if not _is_number(word))
        raise _refuse(flag, f"'{name}' needs numbers, got '{wrong}'") from None
    if not all(math.isfinite(value) and value >= 0 for value in numbers):
        raise _refuse(flag, f"'{name}' needs numbers of at least 0, got {text}")
    if flag == "--line" and len(numbers) != 4:
        raise _refuse(flag, f"'{name}' needs 4 numbers, got {len(numbers)}")
    if len(numbers) % 2:
        raise _refuse(flag, f"'{name}' needs pairs of numbers, got {len(numbers)} numbers")
    return numbers


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _check_line(flag: str, name: str, points: tuple[Point, ...]) -> None:
    if points[0] == points[1]:
        raise _refuse(flag, f"'{name}' has no length: both its ends are the same point")


def _check_zone(flag: str, name: str, points: tuple[Point, ...]) -> None:
    if not 3 <= len(points) <= MOST_CORNERS:
        raise _refuse(flag, f"'{name}' needs 3 to {MOST_CORNERS} corners, got {len(points)}")
    if crosses_itself(points):
        raise _refuse(flag, f"'{name}' crosses itself: its corners must be in order around it")
    if not area_of(points):
        raise _refuse(flag, f"'{name}' encloses no area")


def _refuse(flag: str, reason: str) -> UsageError:
    return UsageError(f"{flag} {reason}.", fix=f"Write it like: {LIKE[flag]}")


def area_of(corners: tuple[Point, ...]) -> float:
    """The area of a polygon, by the shoelace formula."""
    pairs = zip(corners, (*corners[1:], corners[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def crosses_itself(corners: tuple[Point, ...]) -> bool:
    """Whether two sides of a polygon cross, not counting sides that only touch."""
    sides = list(zip(corners, (*corners[1:], corners[0]), strict=True))
    return any(
        _cross(one, other) for number, one in enumerate(sides) for other in sides[number + 1 :]
    )


def _cross(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether each of two stretches has its ends on both sides of the other one."""
    (a, b), (c, d) = one, other
    apart = _turn(a, b, c) * _turn(a, b, d) < 0
    return apart and _turn(c, d, a) * _turn(c, d, b) < 0


def _turn(a: Point, b: Point, c: Point) -> float:
    """Positive or negative by the side of the line from `a` to `b` on which `c` is, 0 on it."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
