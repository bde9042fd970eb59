"""The matches of a frame while they are being collected, stage by stage."""

from __future__ import annotations

import numpy as np

from mot_dinov3.tracking.assignment import REFUSED, Assign
from mot_dinov3.values import NO_ROWS, NO_VALUES, BoolArray, FloatArray, IntArray, Matches


class Pairing:
    """Collects matches; what one stage took is not offered to the next.

    Attributes:
        detection_free: (N,) bool.
        track_free: (T,) bool.
    """

    def __init__(self, n_detections: int, n_tracks: int, assign: Assign) -> None:
        self.detection_free = np.ones(n_detections, np.bool_)
        self.track_free = np.ones(n_tracks, np.bool_)
        self._assign = assign
        self._made: list[tuple[IntArray, IntArray, FloatArray]] = []

    def settle(
        self,
        rows: IntArray,
        columns: IntArray,
        cost: FloatArray,
        allowed: BoolArray,
        worst: float = REFUSED,
    ) -> None:
        """Assign detections to tracks, given pairs of both with their cost, all (K,).

        Only pairs that are `allowed` (K,) and whose sides are still free are made, and none at
        `worst` or more: leaving two alone costs no more than that. Without such a price the
        solver would rather make two bad pairs than one good one.
        """
        pairs = (allowed & (cost < worst)).nonzero()[0]
        if len(pairs) and self._made:
            pairs = pairs[self.open(rows[pairs], columns[pairs])]
        if not len(pairs):
            return
        made = pairs[self._assign(rows[pairs], columns[pairs], cost[pairs], worst)]
        detections, tracks = rows[made], columns[made]
        self.detection_free[detections] = False
        self.track_free[tracks] = False
        self._made.append((tracks, detections, cost[made]))

    def open(self, rows: IntArray, columns: IntArray) -> BoolArray:
        """(K,) whether both sides of a pair are still free."""
        return self.detection_free[rows] & self.track_free[columns]

    def anybody_left(self) -> bool:
        """Whether there is a free detection and a free track."""
        return bool(self.detection_free.any() and self.track_free.any())

    def matches(self) -> Matches:
        """All that was settled, and who is left."""
        tracks, detections, cost = zip((NO_ROWS, NO_ROWS, NO_VALUES), *self._made, strict=True)
        return Matches(
            track_rows=np.concatenate(tracks),
            detection_rows=np.concatenate(detections),
            cost=np.concatenate(cost),
            unmatched_tracks=self.track_free.nonzero()[0],
            unmatched_detections=self.detection_free.nonzero()[0],
        )
