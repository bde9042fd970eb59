"""The exponent of growth, and figures that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The e of cost ~ size^e: the slope of a line through the logarithms (least squares).

    NaN where fewer than two sizes cost anything.
    """
    size, cost = np.asarray(sizes, float), np.asarray(costs, float)
    good = (size > 0) & (cost > 0)
    if len(np.unique(size[good])) < 2:
        return math.nan
    return float(np.polyfit(np.log(size[good]), np.log(cost[good]), 1)[0])


def known(figures: dict[str, float]) -> dict[str, float]:
    """The figures that are numbers: JSON has no NaN."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}
