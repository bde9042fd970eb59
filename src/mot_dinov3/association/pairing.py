"""The matches of a frame while they are being collected, stage by stage."""

from __future__ import annotations

import numpy as np

from mot_dinov3.association.assign import Assign
from mot_dinov3.structures import FloatArray, IntArray, Matches


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
        self._detections: list[IntArray] = []
        self._tracks: list[IntArray] = []
        self._costs: list[FloatArray] = []

    def settle(self, cost: FloatArray, rows: IntArray, columns: IntArray) -> None:
        """Assign detections `rows` to tracks `columns` by `cost`, which is aligned with both."""
        if not len(rows) or not len(columns):
            return
        i, j = self._assign(cost)
        detections, tracks = rows[i], columns[j]
        self.detection_free[detections] = False
        self.track_free[tracks] = False
        self._detections.append(detections)
        self._tracks.append(tracks)
        self._costs.append(cost[i, j].astype(np.float32))

    def matches(self) -> Matches:
        """All that was settled, and who is left."""
        nothing = np.empty(0, np.int64)
        return Matches(
            track_rows=np.concatenate((nothing, *self._tracks)),
            detection_rows=np.concatenate((nothing, *self._detections)),
            cost=np.concatenate((np.empty(0, np.float32), *self._costs)),
            unmatched_tracks=np.flatnonzero(self.track_free),
            unmatched_detections=np.flatnonzero(self.detection_free),
        )
