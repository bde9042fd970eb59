"""Figures that compare: ratios of contenders in turn, and the exponent of growth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mot_dinov3.lab.benchmarks.base import Figures

LEAST_ROUNDS = 5
"""Contenders take turns, round by round, so that a slow spell of the machine hits all of them."""


def count_rounds(asked: int) -> int:
    """Choose how many rounds a comparison takes: at least five."""
    return max(LEAST_ROUNDS, asked)


def compare_rounds(over: Sequence[float], under: Sequence[float], name: str) -> Figures:
    """Divide `over` by `under`, pair by pair: the median, the least and the most of the ratios."""
    ratios = np.asarray(over, float) / np.asarray(under, float)
    return {
        name: round(float(np.median(ratios)), 3),
        "least": round(float(ratios.min()), 3),
        "most": round(float(ratios.max()), 3),
    }


def fit_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Fit the e of cost ~ size^e: the slope of a line through the logarithms (least squares).

    NaN where fewer than two sizes cost anything.
    """
    size, cost = np.asarray(sizes, float), np.asarray(costs, float)
    good = (size > 0) & (cost > 0)
    if len(np.unique(size[good])) < 2:
        return math.nan
    return float(np.polyfit(np.log(size[good]), np.log(cost[good]), 1)[0])


def drop_unknown(figures: dict[str, float]) -> dict[str, float]:
    """Keep the figures that are finite: JSON has no NaN."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}
