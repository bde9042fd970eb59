"""What is kept of every track of a run: where it began and ended, and its appearance."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.values import FloatArray


@dataclass(frozen=True, slots=True)
class Sighting:
    """A track in one frame.

    Attributes:
        time_s: presentation time in seconds.
        xyxy: its box in pixels.
    """

    time_s: float
    xyxy: tuple[float, float, float, float]

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box in pixels."""
        left, top, right, bottom = self.xyxy
        return (left + right) / 2, (top + bottom) / 2

    @property
    def size(self) -> float:
        """The root of the box's area in pixels, at least 1."""
        left, top, right, bottom = self.xyxy
        return float(max((right - left) * (bottom - top), 1.0) ** 0.5)


@dataclass(frozen=True, slots=True)
class Tracklet:
    """A finished fragment of a track: all that a run observed under one id.

    Attributes:
        id: the id that the run gave it.
        class_id: its class at the end.
        first: its first detection.
        last: its last detection.
        vectors: (M, D) float32 unit rows, embeddings spread over its time; M may be 0.
        frames: how many it was detected in.
    """

    id: int
    class_id: int
    first: Sighting
    last: Sighting
    vectors: FloatArray
    frames: int = 1
