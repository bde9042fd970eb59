"""How far two results of the same detections name the same identities."""

from __future__ import annotations

import numpy as np

from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.tracking.assignment import solve
from mot_dinov3.values import IntArray


def identity_agreement(a: MotTable, b: MotTable) -> float:
    """Share of the boxes of both results whose identities correspond one to one.

    Identities are paired so that as many boxes as possible agree (Kuhn 1955). A box that only
    one result has counts against it. 1 where both are empty.
    """
    agreeing, total = count_agreeing_boxes(a, b)
    return agreeing / total if total else 1.0


def count_agreeing_boxes(a: MotTable, b: MotTable) -> tuple[int, int]:
    """Count the boxes that agree, and those in either result; see `identity_agreement`."""
    rows, columns = find_common_boxes(a, b)
    total = len(a) + len(b) - len(rows)
    if not len(rows):
        return 0, total
    ids_a, in_a = np.unique(a.track_id[rows], return_inverse=True)
    ids_b, in_b = np.unique(b.track_id[columns], return_inverse=True)
    together = np.zeros((len(ids_a), len(ids_b)), np.int64)
    np.add.at(together, (in_a, in_b), 1)
    chosen = solve(-together)
    return int(together[chosen].sum()), total


def find_common_boxes(a: MotTable, b: MotTable) -> tuple[IntArray, IntArray]:
    """Rows of `a` and of `b` that hold the same box in the same frame, aligned."""
    places = {key: row for row, key in enumerate(_keys(b))}
    pairs = [(row, places[key]) for row, key in enumerate(_keys(a)) if key in places]
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _keys(table: MotTable) -> list[tuple[int, bytes]]:
    boxes = np.round(table.xyxy, 2)
    return [(int(f), box.tobytes()) for f, box in zip(table.frame_index, boxes, strict=True)]
