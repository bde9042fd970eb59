"""Identities as the page shows them: pictures, times, and how their appearance changed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mot_dinov3.outputs.drawing import Colour, choose_colour, choose_text_colour
from mot_dinov3.outputs.report.crops import Album, Crop
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.suspects import Suspect
from mot_dinov3.outputs.report.track_charts import choose_longest
from mot_dinov3.outputs.report.track_history import TrackHistory

SPARK_POINTS = 60
SPARK_WIDTH, SPARK_HEIGHT = 120, 26
SPARK_FLOOR = 0.5
"""Cosine at the lower edge of the line, unless a value lies below."""


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture in the page.

    Attributes:
        label: "first", "best" or "last".
        frame: that it was cut from.
        source: the picture as a data address, "" where there is none.
    """

    label: str
    frame: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class ShownIdentity:
    """One identity of the page.

    Attributes:
        track_id: the identity.
        title: what it is called.
        colour: of its box in the video, as CSS.
        text: colour of text on `colour`, as CSS.
        kind: its class.
        begins: its first frame.
        ends: its last frame.
        seen: number of frames in which it had a detection.
        embedded: number of embeddings that were computed of it.
        pictures: first, best, last.
        spark: points of a line that shows the similarity of each embedding to those before it;
            "" for fewer than two.
        drift: 1 - mean similarity, None if it was embedded less than twice.
        lowest: the lowest similarity, None if it was embedded less than twice.
    """

    track_id: int
    title: str
    colour: str
    text: str
    kind: str
    begins: int
    ends: int
    seen: int
    embedded: int
    pictures: tuple[ShownPicture, ...]
    spark: str
    drift: float | None
    lowest: float | None


@dataclass(frozen=True, slots=True)
class ShownPair:
    """Two identities that may be one, side by side."""

    ended: ShownIdentity
    begun: ShownIdentity
    suspect: Suspect
    last: ShownPicture
    first: ShownPicture


def build_identities(run: RunData, albums: Mapping[int, Album]) -> list[ShownIdentity]:
    """The identities seen in most frames, at most 200, in the order in which they began."""
    return [
        build_identity(run, track, albums.get(track.track_id, Album()))
        for track in choose_longest(run)
    ]


def build_pairs(
    run: RunData, suspects: list[Suspect], albums: Mapping[int, Album]
) -> list[ShownPair]:
    """Both sides of every suspicion."""
    out = []
    for suspect in suspects:
        old, new = (
            build_identity(run, run.tracks[i], albums.get(i, Album()))
            for i in (suspect.ended, suspect.begun)
        )
        out.append(ShownPair(old, new, suspect, old.pictures[-1], new.pictures[0]))
    return out


def build_identity(run: RunData, track: TrackHistory, album: Album) -> ShownIdentity:
    """One identity with its pictures."""
    frame = run.frames["frame"]
    own = [value for _, value in track.similarity]
    rows = (track.begins, None, track.ends)
    named = zip(("first", "best", "last"), (album.first, album.best, album.last), rows, strict=True)
    pictures = tuple(
        build_picture(label, crop, int(frame[crop.row if crop else row or 0]))
        for label, crop, row in named
    )
    colour = choose_colour(track.track_id)
    return ShownIdentity(
        track_id=track.track_id,
        title=run.title_of(track),
        colour=to_css(colour),
        text=to_css(choose_text_colour(colour)),
        kind=run.class_of(track),
        begins=int(frame[track.begins]),
        ends=int(frame[track.ends]),
        seen=track.seen,
        embedded=len(track.fresh),
        pictures=pictures,
        spark=build_spark(own),
        drift=1 - float(np.mean(own)) if own else None,
        lowest=min(own) if own else None,
    )


def to_css(bgr: Colour) -> str:
    """A colour as style sheets write it."""
    blue, green, red = bgr
    return f"#{red:02x}{green:02x}{blue:02x}"


def build_picture(label: str, crop: Crop | None, frame: int) -> ShownPicture:
    """A crop with its bytes as an address."""
    if crop is None:
        return ShownPicture(label, frame)
    data = base64.b64encode(crop.jpeg).decode("ascii")
    return ShownPicture(label, frame, f"data:image/jpeg;base64,{data}")


def build_spark(values: list[float]) -> str:
    """Points of an SVG line through cosines, at most 60; empty for fewer than two."""
    if len(values) < 2:
        return ""
    known = np.array(values, np.float64)
    chosen = known[np.unique(np.linspace(0, len(known) - 1, SPARK_POINTS).astype(int))]
    floor = min(SPARK_FLOOR, float(known.min()))
    x = np.linspace(1, SPARK_WIDTH - 1, len(chosen))
    y = 2 + (1 - (chosen - floor) / (1 - floor)).clip(0, 1) * (SPARK_HEIGHT - 4)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
