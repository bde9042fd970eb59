"""The matches of a frame while they are being collected, stage by stage."""

from __future__ import annotations

import math

import numpy as np

from mot_dinov3.association.assign import REFUSED, Assign
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

    def settle(
        self, cost: FloatArray, rows: IntArray, columns: IntArray, worst: float = math.inf
    ) -> None:
        """Assign detections `rows` to tracks `columns` by `cost`, which is aligned with both.

        A pair is not made at `worst` or more, and leaving two alone costs no more than that.
        Without such a price the solver would rather make two bad pairs than one good one.
        """
        if not len(rows) or not len(columns):
            return
        capped = np.where(cost < worst, cost, REFUSED) if math.isfinite(worst) else cost
        i, j = self._assign(np.minimum(capped, worst) if math.isfinite(worst) else cost)
        made = capped[i, j] < REFUSED
        i, j = i[made], j[made]
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
