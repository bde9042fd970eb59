"""How identities look: everything that stays the same wherever they are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.synthetic.paint import PATTERNS, Cloth, Colour

PALETTE: tuple[Colour, ...] = (
    (48, 48, 205),
    (210, 120, 30),
    (60, 160, 50),
    (40, 210, 235),
    (190, 60, 150),
    (235, 235, 235),
    (45, 40, 40),
    (30, 130, 240),
    (200, 190, 70),
    (170, 130, 240),
    (110, 110, 115),
    (90, 70, 20),
    (60, 200, 150),
    (30, 60, 110),
    (235, 180, 130),
)
"""Colours far enough apart to be told from one another under noise and changing light."""
DARK: tuple[Colour, ...] = (
    (60, 45, 40),
    (110, 70, 45),
    (50, 50, 55),
    (60, 80, 110),
    (140, 110, 90),
    (45, 75, 60),
    (200, 205, 210),
    (75, 35, 75),
)
SKINS: tuple[Colour, ...] = (
    (180, 205, 240),
    (150, 180, 225),
    (110, 150, 205),
    (75, 110, 160),
    (55, 75, 115),
)
HAIRS: tuple[Colour, ...] = (
    (25, 25, 30),
    (40, 60, 95),
    (90, 160, 205),
    (45, 75, 150),
    (150, 150, 155),
)
BOTTOMS = ("trousers", "trousers", "shorts", "skirt", "coat")
HAIR_STYLES = ("short", "long", "bun", "bald")
HATS = ("none", "none", "cap", "beanie", "brim")
BAGS = ("none", "backpack", "handbag", "none")
SHAPES = ("car", "hatchback", "van", "bus")
ROOFS = ("none", "none", "rack", "sign")


@dataclass(frozen=True, slots=True)
class PersonLook:
    """A person's body and clothes; lengths are shares of the body height `height_m`."""

    top: Cloth
    lower: Cloth
    bottom: str
    shoes: Colour
    skin: Colour
    hair: Colour
    hair_style: str
    hat: str
    hat_colour: Colour
    bag: str
    bag_colour: Colour
    sleeves: bool
    build: float
    height_m: float
    pace_mps: float


@dataclass(frozen=True, slots=True)
class VehicleLook:
    """A vehicle's body and paint."""

    shape: str
    paint: Cloth
    stripe: Colour | None
    glass: Colour
    rim: Colour
    roof: str
    roof_colour: Colour
    length_m: float
    height_m: float


def vary(rng: np.random.Generator, colour: Colour, spread: int = 14) -> Colour:
    """A colour near another: no two dyes are quite the same."""
    b, g, r = (
        int(c) for c in np.clip(np.add(colour, rng.integers(-spread, spread + 1, 3)), 0, 255)
    )
    return b, g, r


def pick(rng: np.random.Generator, names: tuple[str, ...]) -> str:
    """One of several names."""
    return names[int(rng.integers(len(names)))]


def dye(rng: np.random.Generator, colours: tuple[Colour, ...] = PALETTE) -> Colour:
    """A varied colour out of a table."""
    return vary(rng, colours[int(rng.integers(len(colours)))])


def _pick_contrasting(rng: np.random.Generator, colour: Colour) -> Colour:
    """A colour that a pattern on `colour` can be seen in."""
    while True:
        other = dye(rng)
        if np.abs(np.subtract(colour, other)).sum() > 180:
            return other


def cast_people(rng: np.random.Generator, count: int) -> list[PersonLook]:
    """`count` people whose tops take turns through the palette, so that few are alike."""
    order = [PALETTE[i] for i in rng.permutation(len(PALETTE))]
    return [_cast_person(rng, vary(rng, order[i % len(order)])) for i in range(count)]


def _cast_person(rng: np.random.Generator, top: Colour) -> PersonLook:
    pattern = "plain" if rng.random() < 0.35 else pick(rng, PATTERNS)
    bottom = pick(rng, BOTTOMS)
    lower = dye(rng, PALETTE if bottom == "skirt" or rng.random() < 0.3 else DARK)
    child = rng.random() < 0.12
    return PersonLook(
        top=Cloth(top, _pick_contrasting(rng, top), pattern),
        lower=Cloth(
            lower, _pick_contrasting(rng, lower), "hoops" if rng.random() < 0.1 else "plain"
        ),
        bottom=bottom,
        shoes=dye(rng, DARK if rng.random() < 0.6 else PALETTE),
        skin=vary(rng, SKINS[int(rng.integers(len(SKINS)))], 8),
        hair=vary(rng, HAIRS[int(rng.integers(len(HAIRS)))], 8),
        hair_style=pick(rng, HAIR_STYLES),
        hat=pick(rng, HATS),
        hat_colour=dye(rng),
        bag=pick(rng, BAGS),
        bag_colour=dye(rng),
        sleeves=bool(rng.random() < 0.6),
        build=float(rng.uniform(0.85, 1.35)),
        height_m=float(rng.uniform(1.2, 1.4) if child else rng.uniform(1.58, 1.95)),
        pace_mps=float(rng.uniform(1.1, 2.1)),
    )


def cast_vehicles(rng: np.random.Generator, count: int) -> list[VehicleLook]:
    """`count` vehicles; shapes and paints take turns, so that few are alike."""
    order = [PALETTE[i] for i in rng.permutation(len(PALETTE))]
    shapes = [SHAPES[i] for i in rng.permutation(len(SHAPES))]
    return [
        _cast_vehicle(rng, shapes[i % len(shapes)], vary(rng, order[i % len(order)]))
        for i in range(count)
    ]


def _cast_vehicle(rng: np.random.Generator, shape: str, paint: Colour) -> VehicleLook:
    length, height = {
        "car": (4.4, 1.45),
        "hatchback": (3.7, 1.55),
        "van": (4.9, 2.15),
        "bus": (6.6, 2.6),
    }[shape]
    pattern = pick(rng, ("plain", "plain", "halves", "band", "plain"))
    return VehicleLook(
        shape=shape,
        paint=Cloth(paint, _pick_contrasting(rng, paint), pattern),
        stripe=dye(rng) if rng.random() < 0.45 else None,
        glass=vary(rng, (105, 85, 60) if rng.random() < 0.7 else (60, 55, 50), 12),
        rim=vary(rng, (190, 190, 190) if rng.random() < 0.7 else (60, 60, 65), 10),
        roof=pick(rng, ROOFS),
        roof_colour=dye(rng),
        length_m=float(length * rng.uniform(0.92, 1.08)),
        height_m=float(height * rng.uniform(0.95, 1.06)),
    )
