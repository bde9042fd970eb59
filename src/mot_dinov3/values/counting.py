"""What is counted at the lines and zones of the picture, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Point = tuple[float, float]
"""x and y in pixels of the source frame."""


class CountKind(StrEnum):
    """What a track did: crossed a line one way or the other, entered a zone or left it."""

    IN = "in"
    OUT = "out"
    ENTER = "enter"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class CountEvent:
    """A track crossed a line, or entered or left a zone.

    Attributes:
        frame_index: 0-based index of the frame in which it counted.
        time_s: presentation time of that frame in seconds.
        kind: what the track did.
        place: name of the line or the zone.
        track_id: id of the track.
        class_id: its class in this frame.
        seconds: for `LEAVE` the time of the visit, from the first to the last frame in which the
            track was seen inside; else None.
    """

    frame_index: int
    time_s: float
    kind: CountKind
    place: str
    track_id: int
    class_id: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LineCounts:
    """A line after a frame.

    Attributes:
        name: of the line.
        ends: its first and its second point.
        n_in: crossings so far to the left, on the way from the first point to the second.
        n_out: crossings so far to the right.
    """

    name: str
    ends: tuple[Point, Point]
    n_in: int
    n_out: int


@dataclass(frozen=True, slots=True)
class ZoneCounts:
    """A zone after a frame.

    Attributes:
        name: of the zone.
        corners: in order around it.
        inside: tracks that are in it now.
        entered: visits so far.
    """

    name: str
    corners: tuple[Point, ...]
    inside: int
    entered: int


@dataclass(frozen=True, slots=True)
class FrameCounts:
    """What was counted until a frame.

    Attributes:
        events: those of the frame itself.
        lines: every line, in the order in which they were given.
        zones: every zone.
    """

    events: tuple[CountEvent, ...] = ()
    lines: tuple[LineCounts, ...] = ()
    zones: tuple[ZoneCounts, ...] = ()
