"""Standard normal values that go on in time, and what quantiles make of them."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from mot_dinov3.data.synthetic.noise.base import LEVELS, Course, Quantiles
from mot_dinov3.values import BoolArray, DoubleArray, IntArray


class Timeline:
    """The rows of a table by object and time, for values that an object carries along."""

    def __init__(self, track_id: IntArray, time_s: DoubleArray) -> None:
        """Sort the rows.

        Args:
            track_id: (N,) whose row it is.
            time_s: (N,) when.
        """
        self._order = np.lexsort((time_s, track_id))
        track, time = track_id[self._order], time_s[self._order]
        self._first: BoolArray = np.append(True, track[1:] != track[:-1])[: len(track)]
        self._number = np.cumsum(self._first) - 1
        self._since = np.append(0.0, np.diff(time))[: len(time)]

    def draw(self, rng: np.random.Generator, course: Course) -> DoubleArray:
        """(N,) standard normal values that go on as `course` says, object by object."""
        n = len(self._order)
        own = rng.standard_normal(n)[self._number] if n else np.zeros(0)
        slow = self._fade(rng.standard_normal(n), course.seconds)
        fresh = rng.standard_normal(n)
        shares = np.sqrt([course.constant, course.slow, 1 - course.constant - course.slow])
        out = np.empty(n)
        out[self._order] = shares[0] * own + shares[1] * slow + shares[2] * fresh
        return out

    def _fade(self, news: DoubleArray, seconds: float) -> DoubleArray:
        """Turn independent values into a first-order autoregression that forgets in `seconds`."""
        keep = np.where(self._first, 0.0, np.exp(-self._since / seconds))
        out: DoubleArray = news * np.sqrt(1 - keep**2)
        value = 0.0
        for row, (kept, new) in enumerate(zip(keep.tolist(), out.tolist(), strict=True)):
            value = kept * value + new
            out[row] = value
        return out


def link(independent: DoubleArray, links: tuple[float, ...]) -> DoubleArray:
    """(N, 4) independent standard normals -> (N, 4) with the six correlations of `BoxErrors`."""
    upper = np.zeros((4, 4))
    upper[np.triu_indices(4, 1)] = links
    correlation = np.eye(4) + upper + upper.T
    return np.asarray(independent @ np.linalg.cholesky(correlation).T)


def take_quantiles(normal: DoubleArray, quantiles: Quantiles) -> DoubleArray:
    """(N,) values whose quantiles at `LEVELS` are given, in the order of standard normals (N,).

    Between levels they are interpolated; beyond the outer ones they end.
    """
    return np.asarray(np.interp(ndtr(normal), LEVELS, quantiles))
