"""Identities as the page shows them: pictures, dates, and how their looks changed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mot_dinov3.outputs.drawing import Colour, colour_of, text_colour
from mot_dinov3.outputs.report.crops import Album, Crop
from mot_dinov3.outputs.report.lives import Life
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.suspects import Suspect
from mot_dinov3.outputs.report.track_charts import longest

SPARK_POINTS = 60
SPARK_WIDTH, SPARK_HEIGHT = 120, 26
SPARK_FLOOR = 0.5
"""Cosine at the lower edge of a drawing, unless something lies below."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A crop in the page: where it comes from, and itself as an address; empty if there is none."""

    label: str
    frame: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity on the wall.

    Attributes:
        colour: of its box in the video, as CSS; `text` reads well on it.
        kind: its class.
        pictures: first, best, last.
        spark: points of a line, how like its past each of its embeddings was; empty for none.
        drift: 1 - mean of that, None if it was embedded less than twice.
        lowest: the least likeness, None likewise.
    """

    track_id: int
    colour: str
    text: str
    kind: str
    begins: int
    ends: int
    seen: int
    embedded: int
    pictures: tuple[Picture, ...]
    spark: str
    drift: float | None
    lowest: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two identities that may be one, side by side."""

    ended: Identity
    begun: Identity
    suspect: Suspect
    last: Picture
    first: Picture


def wall(run: RunData, albums: Mapping[int, Album]) -> list[Identity]:
    """The identities seen in most frames, at most 200, in the order of arrival."""
    return [identity(run, life, albums.get(life.track_id, Album())) for life in longest(run)]


def pairs(run: RunData, suspects: list[Suspect], albums: Mapping[int, Album]) -> list[Pair]:
    """Both sides of every suspicion."""
    out = []
    for suspect in suspects:
        old, new = (
            identity(run, run.lives[i], albums.get(i, Album()))
            for i in (suspect.ended, suspect.begun)
        )
        out.append(Pair(old, new, suspect, old.pictures[-1], new.pictures[0]))
    return out


def identity(run: RunData, life: Life, album: Album) -> Identity:
    """One identity with its pictures."""
    frame = run.frames["frame"]
    own = [value for _, value in life.similarity]
    rows = (life.begins, None, life.ends)
    named = zip(("first", "best", "last"), (album.first, album.best, album.last), rows, strict=True)
    pictures = tuple(
        picture(label, crop, int(frame[crop.row if crop else row or 0]))
        for label, crop, row in named
    )
    colour = colour_of(life.track_id)
    return Identity(
        track_id=life.track_id,
        colour=css(colour),
        text=css(text_colour(colour)),
        kind=run.class_of(life),
        begins=int(frame[life.begins]),
        ends=int(frame[life.ends]),
        seen=life.seen,
        embedded=len(life.fresh),
        pictures=pictures,
        spark=spark(own),
        drift=1 - float(np.mean(own)) if own else None,
        lowest=min(own) if own else None,
    )


def css(bgr: Colour) -> str:
    """A colour as style sheets write it."""
    blue, green, red = bgr
    return f"#{red:02x}{green:02x}{blue:02x}"


def picture(label: str, crop: Crop | None, frame: int) -> Picture:
    """A crop with its bytes as an address."""
    if crop is None:
        return Picture(label, frame)
    data = base64.b64encode(crop.jpeg).decode("ascii")
    return Picture(label, frame, f"data:image/jpeg;base64,{data}")


def spark(values: list[float]) -> str:
    """Points of an SVG line through cosines, at most 60; empty for fewer than two."""
    if len(values) < 2:
        return ""
    known = np.array(values, np.float64)
    chosen = known[np.unique(np.linspace(0, len(known) - 1, SPARK_POINTS).astype(int))]
    floor = min(SPARK_FLOOR, float(known.min()))
    x = np.linspace(1, SPARK_WIDTH - 1, len(chosen))
    y = 2 + (1 - (chosen - floor) / (1 - floor)).clip(0, 1) * (SPARK_HEIGHT - 4)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
