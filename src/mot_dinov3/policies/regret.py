"""How sure place alone is of each detection: the best assignment, and how near the next one is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from mot_dinov3.structures import BoolArray, FloatArray, IntArray

UNMATCHED = 1.0
"""Cost of a detection without a track and of a track without a detection."""

REFUSED = 2 * UNMATCHED
"""A pair that costs as much as leaving both alone is none."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """What place alone says about N detections and M tracks.

    Attributes:
        track: (N,) int64 the track that the cheapest assignment gives, -1 for none.
        regret: (N,) float32 how much dearer the best exchange with a rival is; infinity where
            there is no rival.
        rival: (N,) int64 the track of that exchange, -1 if the rival has none.
        partner: (N,) int64 the detection of that exchange, -1 if the rival track has none.
    """

    track: IntArray
    regret: FloatArray
    rival: IntArray
    partner: IntArray


def stakes(cost: FloatArray, eligible: BoolArray) -> Stakes:
    """Solve the assignment by place and weigh every pair against its cheapest exchange.

    Pairs that nobody contests are settled at once; the rest, connected components of two or
    more, goes to the solver. The regret of a pair is the cost of the best assignment without it
    less that of the best one. Here only exchanges with one other pair are tried, where a free
    track or a detection without a track makes a pair as well: exact in components of up to two
    of each, and never too small in larger ones.

    Args:
        cost: (N, M), infinity where a pair is impossible.
        eligible: (N,) detections that take part.
    """
    n = len(cost)
    track, rival, partner = (np.full(n, -1, np.int64) for _ in range(3))
    regret = np.full(n, np.inf, np.float32)
    if not cost.size:
        return Stakes(track, regret, rival, partner)
    possible = np.isfinite(cost) & eligible[:, None]
    degree = possible.sum(axis=1)
    found = np.flatnonzero(degree)
    best = possible.argmax(axis=1)
    lone = found[(degree[found] == 1) & (possible.sum(axis=0)[best[found]] == 1)]
    track[lone] = best[lone]
    rows = np.setdiff1d(found, lone, assume_unique=True)
    if len(rows):
        columns = np.flatnonzero(possible[rows].any(axis=0))
        cell = np.ix_(rows, columns)
        block = np.where(possible[cell], np.minimum(cost[cell], REFUSED), REFUSED)
        own, other, pair_row, pair_column = _exchanges(block)
        here = rows[pair_row[own]]
        track[here] = np.where(pair_column[own] >= 0, columns[pair_column[own]], -1)
        regret[here] = other.regret[own]
        q = other.pair[own]
        rival[here] = np.where(pair_column[q] >= 0, columns[pair_column[q]], -1)
        partner[here] = np.where(pair_row[q] >= 0, rows[pair_row[q]], -1)
    return Stakes(track, regret, rival, partner)


@dataclass(frozen=True, slots=True)
class _Best:
    pair: IntArray
    regret: FloatArray


def _exchanges(block: FloatArray) -> tuple[IntArray, _Best, IntArray, IntArray]:
    """The assignment of a block, and each pair's cheapest exchange.

    Returns:
        Pairs that have a row, the best exchange of every pair, and rows and columns of all
        pairs, -1 where one is missing.
    """
    i, j = linear_sum_assignment(block)
    real = block[i, j] < REFUSED
    i, j = i[real], j[real]
    free_rows = np.setdiff1d(np.arange(block.shape[0]), i, assume_unique=True)
    free_columns = np.setdiff1d(np.arange(block.shape[1]), j, assume_unique=True)
    none_row, none_column = np.full(len(free_columns), -1), np.full(len(free_rows), -1)
    pair_row = np.concatenate((i, free_rows, none_row))
    pair_column = np.concatenate((j, none_column, free_columns))
    padded = np.full((block.shape[0] + 1, block.shape[1] + 1), UNMATCHED)
    padded[:-1, :-1] = block
    padded[-1, -1] = 0.0
    price = padded[np.ix_(pair_row, pair_column)]
    own = price.diagonal()
    change = price + price.T - own[:, None] - own[None, :]
    empty = (price >= REFUSED) & (pair_row >= 0)[:, None] & (pair_column >= 0)[None, :]
    refused = empty | empty.T
    np.fill_diagonal(refused, True)
    change[refused] = np.inf
    pair = change.argmin(axis=1)
    regret = change[np.arange(len(pair)), pair]
    regret = np.where(refused[np.arange(len(pair)), pair], np.inf, regret).astype(np.float32)
    return np.flatnonzero(pair_row >= 0), _Best(pair, regret), pair_row, pair_column
