"""When to detect: in every n-th frame, or when it pays; pure, without a clock or a model."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Protocol

import numpy as np

from mot_dinov3.config.tracking.search import AUTO, SearchConfig
from mot_dinov3.values import LOST, BoolArray, Tracks
from mot_dinov3.values.boxes import iou_matrix, reach_border, share_of_sides

UNSURE, TOUCHING, AT_EDGE, NEW = 0.5, 0.34, 0.2, 1.0
"""What a track adds to the reasons to detect whose find is unsure, that came to touch another one,
that came to the edge of the picture, and that waits for a second detection to be confirmed."""
RETURNING = 0.1
"""What tracks add that were lost a moment ago and may be back, for each of two frames."""
CHANGED = 1.0
"""What a change of the picture adds where there was no track."""
MOST_S = 0.5
"""Seconds after which time alone is a reason to detect."""
TOUCH_IOU, EDGE_SHARE = 0.1, 0.02
"""Tracks touch from this overlap on, and are at the edge within this share of the picture."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known before a frame is looked at.

    Attributes:
        tracks: after the frame before.
        unsure: (T,) whose find in it was not sure, or that were not found.
        size: width and height of the picture in pixels.
        changed: whether the picture has changed where there is no track.
        least_frames: frames between two detections that a frame rate leaves time for.
        since_s: seconds since the last detection.
    """

    tracks: Tracks
    unsure: BoolArray
    size: tuple[int, int]
    changed: bool = False
    least_frames: int = 1
    since_s: float = 0.0


class DetectionPolicy(Protocol):
    """Decides, frame by frame, whether to detect."""

    looks_for_change: bool = False
    """Whether it wants to know of changes of the picture."""

    def decide(self, evidence: Evidence) -> bool:
        """Whether to detect in the next frame; asked once for each frame."""

    def settle(self, detects: bool) -> None:
        """Take in what was decided at last: what a search costs, or a run journal, comes first."""


class EveryNth(DetectionPolicy):
    """Detects in every `frames`-th frame."""

    def __init__(self, frames: int) -> None:
        self._frames, self._since = frames, frames

    def decide(self, evidence: Evidence) -> bool:
        """Whether so many frames went by."""
        return self._since >= self._frames

    def settle(self, detects: bool) -> None:
        """Count the frame."""
        self._since = 1 if detects else self._since + 1


class WhenItPays(DetectionPolicy):
    """Adds up reasons to detect since the last detection, and detects when they reach 1.

    Time alone is a reason, so that nothing waits for more than `most` frames, even where a frame
    rate cannot be kept.
    """

    looks_for_change = True

    def __init__(self, most: int) -> None:
        self._most = most
        self._since = most
        self._unsure: set[int] = set()
        self._touching: set[int] = set()
        self._at_edge: set[int] = set()
        self._before: tuple[set[int], set[int]] = (set(), set())
        self._changed = False

    def decide(self, evidence: Evidence) -> bool:
        """Whether the reasons suffice, and the frame rate leaves time for a detection."""
        tracks = evidence.tracks
        touching, at_edge = find_touching(tracks), find_at_edge(tracks, evidence.size)
        if self._since == 1:  # what was so when it was detected is no news
            self._before = touching, at_edge
        self._touching |= touching - self._before[0]
        self._at_edge |= at_edge - self._before[1]
        self._unsure |= set(tracks.id[evidence.unsure].tolist())
        self._changed |= evidence.changed
        least_frames = min(evidence.least_frames, self._most)
        return self._since >= least_frames and self._weigh(tracks, evidence.since_s) >= 1

    def settle(self, detects: bool) -> None:
        """Count the frame; after a detection all reasons are gone."""
        self._since += 1
        if detects:
            self._begin()

    def _weigh(self, tracks: Tracks, since_s: float) -> float:
        returning = np.count_nonzero((tracks.state == LOST) & (tracks.id > 0))
        reasons = (
            max(self._since / self._most, since_s / MOST_S),
            UNSURE * len(self._unsure),
            TOUCHING * len(self._touching),
            AT_EDGE * len(self._at_edge),
            NEW * np.count_nonzero(tracks.id < 0),
            RETURNING * min(self._since, 2) * bool(returning),
            CHANGED * self._changed,
        )
        return sum(reasons)

    def _begin(self) -> None:
        self._since = 1
        self._changed = False
        for noted in (self._unsure, self._touching, self._at_edge):
            noted.clear()


def create_detection_policy(config: SearchConfig) -> DetectionPolicy:
    """The policy that `--det-every` names."""
    if config.det_every == AUTO:
        return WhenItPays(config.det_max)
    return EveryNth(int(config.det_every))


def find_touching(tracks: Tracks) -> set[int]:
    """The ids of placed tracks that overlap another one."""
    here = tracks[tracks.placed]
    if len(here) < 2:
        return set()
    overlap = iou_matrix(here.xyxy, here.xyxy)
    np.fill_diagonal(overlap, 0.0)
    return set(here.id[overlap.max(axis=1) >= TOUCH_IOU].tolist())


def find_at_edge(tracks: Tracks, size: tuple[int, int]) -> set[int]:
    """The ids of placed tracks near the edge of a picture of `size` (width, height) pixels."""
    here = tracks[tracks.placed]
    near = reach_border(here.xyxy, size, share_of_sides(size, EDGE_SHARE))
    return set(here.id[near].tolist())


def count_least_frames(
    period_ms: float, detect_ms: float, search_ms: float, other_ms: float
) -> int:
    """Frames from one detection to the next for which a mean frame takes no more than a period.

    A detection and `n - 1` searches take `detect_ms + (n - 1) search_ms` in `n` frames, which have
    `n (period_ms - other_ms)`.

    Args:
        period_ms: of a frame, 0 for no limit.
        detect_ms: of a frame with a detection, beside what all frames take.
        search_ms: of a frame without one.
        other_ms: of all frames.
    """
    spare_ms = period_ms - other_ms - search_ms
    if not period_ms or detect_ms <= search_ms:
        return 1
    return max(1, ceil((detect_ms - search_ms) / max(spare_ms, 1e-3) - 1e-9))
