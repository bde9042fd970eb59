"""What lines and zones have in common: the tracks that count, and the package that places them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.config import CountConfig
from mot_dinov3.errors import not_installed
from mot_dinov3.values import FloatArray, FrameResult, IntArray

if TYPE_CHECKING:
    from supervision import Detections, Position

PACKAGE = "supervision"
FARTHEST_PX = 1e6
"""Boxes beyond this are errors of a detector, not objects."""
POSITIONS = {
    "bottom": ("BOTTOM_CENTER",),
    "center": ("CENTER",),
    "top": ("TOP_CENTER",),
    "corners": ("TOP_LEFT", "TOP_RIGHT", "BOTTOM_LEFT", "BOTTOM_RIGHT"),
}
"""Value of `--count-point` -> the names of supervision's positions in a box."""


@dataclass(frozen=True, slots=True)
class SeenTracks:
    """The tracks of a frame that count: confirmed and seen, not only predicted.

    Attributes:
        frame_index: 0-based index of the frame.
        time_s: its presentation time in seconds.
        id: (M,) int64.
        xyxy: (M, 4) float32 pixels, finite.
        class_id: (M,) int64.
        alive: ids of all tracks after the frame, lost and tentative ones included.
    """

    frame_index: int
    time_s: float
    id: IntArray
    xyxy: FloatArray
    class_id: IntArray
    alive: frozenset[int]

    @classmethod
    def of(cls, result: FrameResult) -> SeenTracks:
        """The tracks of a result that count."""
        tracks = result.tracks
        sane = (np.abs(tracks.xyxy) < FARTHEST_PX).all(axis=1)  # False for NaN, too
        here = tracks[tracks.present & sane]
        alive = frozenset(tracks.id.tolist())
        return cls(result.frame_index, result.time_s, here.id, here.xyxy, here.class_id, alive)


def require_supervision(config: CountConfig) -> None:
    """Refuse to count where the package that does it is missing.

    Raises:
        ModelError: it is not installed.
    """
    if config.wanted and find_spec(PACKAGE) is None:
        raise not_installed(PACKAGE, "supervision", "--line" if config.line else "--zone")


def choose_positions(config: CountConfig) -> list[Position]:
    """The points of a box that `--count-point` names, as supervision calls them."""
    from supervision import Position

    return [Position[name] for name in POSITIONS[config.point]]


def to_detections(xyxy: FloatArray, ids: IntArray, class_ids: IntArray) -> Detections:
    """Boxes (N, 4) of tracks with their ids (N,) and classes (N,) as supervision takes them."""
    from supervision import Detections

    return Detections(xyxy=xyxy, tracker_id=ids, class_id=class_ids)
