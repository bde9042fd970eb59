"""Lines and zones in the picture at which tracks are counted."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, repeatable_flag, require
from mot_dinov3.config.tracking.shapes import Shape, parse_shapes
from mot_dinov3.errors import UsageError

POINTS = ("bottom", "center", "top", "corners")
MOST_SHAPES = 50


@dataclass(frozen=True, slots=True)
class CountConfig:
    """Lines and zones in the picture at which tracks are counted.

    Each of the two texts holds any number of shapes, separated by commas.
    """

    line: str = repeatable_flag(
        "--line",
        "count the tracks that cross a line, in pixels or shares of the picture; in is to the "
        "left on the way from its first point to its second",
        metavar="NAME=POINTS",
    )
    zone: str = repeatable_flag(
        "--zone",
        "count the tracks in a zone and their seconds there; corners in order, in pixels or "
        "shares of the picture",
        metavar="NAME=POINTS",
    )
    point: str = flag(
        "bottom",
        "--count-point",
        "point of a box that crosses lines and enters zones: the middle of its lower edge (the "
        "feet), its center, the middle of its upper edge, or all four corners",
        choices=POINTS,
    )
    after: int = flag(
        2,
        "--count-after",
        "frames that a track must be seen on the new side before a crossing counts",
        metavar="FRAMES",
    )

    def __post_init__(self) -> None:
        require(self.point in POINTS, "--count-point", f"one of {', '.join(POINTS)}", self.point)
        require(1 <= self.after <= 1000, "--count-after", "between 1 and 1000", self.after)
        known: dict[str, str] = {}
        for shape in (*self.lines, *self.zones):
            if shape.name in known:
                raise UsageError(
                    f"{known[shape.name]} and {shape.flag} both have the name '{shape.name}'."
                    if known[shape.name] != shape.flag
                    else f"{shape.flag} names '{shape.name}' twice.",
                    fix="Give each line and each zone a name of its own.",
                )
            known[shape.name] = shape.flag
        require(
            len(known) <= MOST_SHAPES, "--zone", f"given at most {MOST_SHAPES} times", len(known)
        )

    @property
    def lines(self) -> tuple[Shape, ...]:
        """The lines, in order."""
        return parse_shapes("--line", self.line)

    @property
    def zones(self) -> tuple[Shape, ...]:
        """The zones, in order."""
        return parse_shapes("--zone", self.zone)

    @property
    def wanted(self) -> bool:
        """Whether anything is counted at lines or zones."""
        return bool(self.line or self.zone)

    def check_size(self, width: int, height: int) -> None:
        """Refuse lines and zones that are outside of a picture of this size in pixels.

        Raises:
            UsageError: it names the first of them.
        """
        for shape in (*self.lines, *self.zones):
            shape.to_pixels(width, height)
