"""Contenders in turn, round by round, so that a slow spell of the machine hits all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mot_dinov3.lab.benchmarks.base import Figures

LEAST_ROUNDS = 5


def rounds_of(asked: int) -> int:
    """How many rounds a comparison takes: at least five."""
    return max(LEAST_ROUNDS, asked)


def ratio_figures(over: Sequence[float], under: Sequence[float], name: str) -> Figures:
    """The median of `over` divided by `under`, pair by pair, with the least and the most of it."""
    ratios = np.asarray(over, float) / np.asarray(under, float)
    return {
        name: round(float(np.median(ratios)), 3),
        "least": round(float(ratios.min()), 3),
        "most": round(float(ratios.max()), 3),
    }
