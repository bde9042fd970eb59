"""An association that is added by this file and one line of the table: the nearest centre."""

from __future__ import annotations

import numpy as np

from mot_dinov3.tracking.association.base import Associator, NearPairs
from mot_dinov3.values import Matches

LINE = ("helpers.added.association:NearestAssociation", "the nearest box continues a track")
REACH_PX = 30


class NearestAssociation(Associator):
    """Pairs detections with tracks in order of their distance, up to a reach; nothing returns."""

    def __init__(self, config, tracker):
        pass

    def compare(self, detections, view):
        between = detections.xyxy[:, None, :2] - view.xyxy[None, :, :2]
        distance = np.linalg.norm(between, axis=2).astype(np.float32)
        rows, columns = np.nonzero(distance < REACH_PX)
        cost = distance[rows, columns] / REACH_PX
        return NearPairs(rows, columns, 1 - cost, 1 - cost, cost)

    def associate(self, comparison, embeddings, view):
        near, made = comparison.near, {}
        for pair in np.argsort(near.cost, kind="stable").tolist():
            row, column = int(near.rows[pair]), int(near.columns[pair])
            if row not in made and column not in made.values():
                made[row] = column
        rows = np.array([*made], np.int64)
        columns = np.array([*made.values()], np.int64)
        return Matches(
            track_rows=columns,
            detection_rows=rows,
            cost=np.zeros(len(rows), np.float32),
            unmatched_tracks=np.setdiff1d(np.arange(len(view)), columns),
            unmatched_detections=np.setdiff1d(np.arange(len(comparison.detections)), rows),
        )

    def place_cost(self, comparison, view):
        return comparison.near.cost

    def may_return(self, comparison, view, rows, columns):
        return np.zeros((len(rows), len(columns)), bool)
