"""Who comes first: by worth, and in turn."""

from __future__ import annotations

from itertools import chain

import numpy as np

from mot_dinov3.values import BoolArray, FloatArray, IntArray


def sort_best_first(chosen: BoolArray, score: FloatArray | IntArray) -> IntArray:
    """Chosen rows, the highest score first."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-score[rows], kind="stable")]


def interleave_oldest(by_value: IntArray, by_age: IntArray, turns: int, first: int) -> IntArray:
    """Rows by value, but one slot in `turns` goes to the first of `by_age` that has none yet.

    Args:
        by_value: all rows, best first.
        by_age: some of them, oldest first.
        turns: how often it is their turn.
        first: the slot where that begins; it moves from frame to frame, so that their turn
            comes with a budget of a single crop as well.
    """
    if not len(by_age):
        return by_value
    best, oldest = by_value.tolist(), by_age.tolist()
    out: dict[int, None] = {}
    while len(out) < len(best):
        turn = len(out) % turns == first
        line = chain(oldest, best) if turn else best
        out[next(row for row in line if row not in out)] = None
    return np.array(list(out), np.int64)
