"""The matches of a frame while they are being collected, stage by stage."""

from __future__ import annotations

import numpy as np

from mot_dinov3.tracking.assignment import REFUSED, Assign
from mot_dinov3.values import NO_ROWS, NO_VALUES, BoolArray, FloatArray, IntArray, Matches


class Pairing:
    """Collects matches; a detection or track that one stage took is not offered to the next.

    With two detections and two tracks, of which the first detection fits both tracks::

        pairing.assign(rows=[0], columns=[1], ...)        # makes detection 0 - track 1
        pairing.assign(rows=[0, 1], columns=[0, 0], ...)  # 0 is taken: makes detection 1 - track 0

    Attributes:
        detection_free: (N,) bool, not matched yet.
        track_free: (T,) bool, not matched yet.
    """

    def __init__(self, n_detections: int, n_tracks: int, solve: Assign) -> None:
        """Begin without matches.

        Args:
            n_detections: N.
            n_tracks: T.
            solve: chooses pairs, see `assignment`.
        """
        self.detection_free = np.ones(n_detections, np.bool_)
        self.track_free = np.ones(n_tracks, np.bool_)
        self._solve = solve
        self._made: list[tuple[IntArray, IntArray, FloatArray]] = []

    def assign(
        self,
        rows: IntArray,
        columns: IntArray,
        cost: FloatArray,
        allowed: BoolArray,
        worst: float = REFUSED,
    ) -> None:
        """Make the best set of pairs out of K possible ones.

        Args:
            rows: (K,) their detections.
            columns: (K,) their tracks.
            cost: (K,) their costs.
            allowed: (K,) pairs that this stage may make, if both of their sides are still free.
            worst: what it costs to leave a detection and a track alone. No pair is made at this
                cost or more, and two pairs that together cost more than one of them and `worst`
                are not made either.
        """
        pairs = (allowed & (cost < worst)).nonzero()[0]
        if len(pairs) and self._made:
            pairs = pairs[self.are_free(rows[pairs], columns[pairs])]
        if not len(pairs):
            return
        made = pairs[self._solve(rows[pairs], columns[pairs], cost[pairs], worst)]
        detections, tracks = rows[made], columns[made]
        self.detection_free[detections] = False
        self.track_free[tracks] = False
        self._made.append((tracks, detections, cost[made]))

    def are_free(self, rows: IntArray, columns: IntArray) -> BoolArray:
        """(K,) whether the detection and the track of each pair are still free."""
        return self.detection_free[rows] & self.track_free[columns]

    def has_free_pairs(self) -> bool:
        """Whether there is a free detection and a free track."""
        return bool(self.detection_free.any() and self.track_free.any())

    def matches(self) -> Matches:
        """All pairs that were made, and the detections and tracks that are left."""
        tracks, detections, cost = zip((NO_ROWS, NO_ROWS, NO_VALUES), *self._made, strict=True)
        return Matches(
            track_rows=np.concatenate(tracks),
            detection_rows=np.concatenate(detections),
            cost=np.concatenate(cost),
            unmatched_tracks=self.track_free.nonzero()[0],
            unmatched_detections=self.detection_free.nonzero()[0],
        )
