"""The description of a source of frames, and the protocol of its readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from mot_dinov3.values import Frame

DEFAULT_FPS = 30.0
SQUARE = Fraction(1)
"""The shape of ordinary pixels."""

ODDEST_PIXEL = 16
"""Pixels more oblong than this are an error in the file."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A source before its frames are read.

    Attributes:
        name: how messages call it: without credentials.
        width: pixels across of every frame, upright.
        height: pixels down of every frame.
        fps: nominal (average) rate, `DEFAULT_FPS` if unknown.
        frame_count: frames in the source, 0 if unknown; an estimate for progress only.
        is_live: a webcam or a stream that has no end of its own: no way back.
        path: the local video file, or None.
        has_pixels: whether the frames show anything; stored detections alone need no images.
        pixel_aspect: width over height at which a pixel of an upright frame is meant to be shown.
    """

    name: str
    width: int
    height: int
    fps: float
    frame_count: int
    is_live: bool
    path: Path | None
    has_pixels: bool = True
    pixel_aspect: Fraction = SQUARE


class FrameReader(Protocol):
    """A context manager that can be iterated once, giving the selected frames in order.

    Attributes:
        info: what is being read.
        faults: what was wrong with the input so far: kind -> how often.
        partial: the input was cut short or damaged, so the result covers only part of it.
    """

    @property
    def info(self) -> SourceInfo:
        """What is being read."""

    @property
    def faults(self) -> Counter[str]:
        """Kinds of input fault and how often each was met so far."""

    @property
    def partial(self) -> bool:
        """Whether frames are missing or damaged; final once the iteration has ended."""

    def __enter__(self) -> Self:
        """The reader itself; it is open from its birth."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the source."""

    def __iter__(self) -> Iterator[Frame]:
        """The selected frames in order; ends normally on a source that is cut short."""


def sane_fps(rate: float | None) -> float:
    """The rate if it can be one, else the default: damaged headers hold anything."""
    return rate if rate is not None and 0.01 <= rate <= 1000 else DEFAULT_FPS


def sane_aspect(aspect: Fraction | None) -> Fraction:
    """The shape of a pixel if it can be one, else a square."""
    if not aspect or not 1 / ODDEST_PIXEL <= aspect <= ODDEST_PIXEL:
        return SQUARE
    return aspect
