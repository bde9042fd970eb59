"""In which order rows are embedded: by worth, or in turn."""

from __future__ import annotations

from itertools import chain

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray, IntArray


def sort_best_first(chosen: BoolArray, score: FloatArray | IntArray) -> IntArray:
    """Chosen rows, the highest score first."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-score[rows], kind="stable")]


def count_turns(n_tracks: int, wait_frames: int) -> int:
    """How many tracks a frame must embed for each of `n_tracks` to have a turn in `wait_frames`."""
    return -(-n_tracks // wait_frames)


def take_oldest(overdue: BoolArray, staleness: IntArray, most: int) -> IntArray:
    """The `most` rows that waited longest, oldest first.

    Args:
        overdue: (N,) the rows to choose from.
        staleness: (N,) frames that each waited.
        most: how many to take.
    """
    return sort_best_first(overdue, staleness)[:most]


def interleave_oldest(by_value: IntArray, by_age: IntArray, turns: int, first: int) -> IntArray:
    """Order rows by value, but give one slot in `turns` to the oldest row that has none yet.

    For example, rows 5, 6, 7 and 8 are ordered by value, of which 8 and 6 waited too long. With
    every third slot for those, from slot 1 on, the order is 5, 8, 6, 7: slot 0 goes to the best,
    slot 1 to the oldest, slots 2 and 3 to the best that are left.

    Args:
        by_value: all rows, best first.
        by_age: some of them, oldest first.
        turns: every so many slots one belongs to the oldest.
        first: the first such slot, below `turns`; it moves from frame to frame, so that the
            oldest have their turn with a budget of a single crop as well.
    """
    if not len(by_age):
        return by_value
    best, oldest = by_value.tolist(), by_age.tolist()
    order: dict[int, None] = {}  # a set that remembers the order
    while len(order) < len(best):
        is_their_turn = len(order) % turns == first
        candidates = chain(oldest, best) if is_their_turn else best
        order[next(row for row in candidates if row not in order)] = None
    return np.array(list(order), np.int64)
