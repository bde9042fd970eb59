"""A walk planned step by step: go there, wait, vanish, be back."""

from __future__ import annotations

from typing import Self

import numpy as np

from mot_dinov3.data.synthetic.motion import Leg, Trip, metre_at
from mot_dinov3.data.synthetic.paint import Point

_SHORTEST_S = 1e-3


class Route:
    """Collects the legs of a trip; every method goes on from where the last one ended.

    Attributes:
        time_s: when the last leg ends.
        here: where it ends: x and y of the foot in frame heights.
        pace_mps: the walking pace.
    """

    def __init__(self, start_s: float, here: Point, pace_mps: float) -> None:
        self.time_s = start_s
        self.here = here
        self.pace_mps = pace_mps
        self._legs: list[Leg] = []

    def needs_s(self, there: Point) -> float:
        """Seconds to walk to a point."""
        far = float(np.hypot(there[0] - self.here[0], there[1] - self.here[1]))
        return far / (self.pace_mps * metre_at((self.here[1] + there[1]) / 2))

    def go(self, there: Point) -> Self:
        """Walk to a point, straight."""
        return self.stride(there, self.needs_s(there))

    def wait(self, seconds: float) -> Self:
        """Stand still."""
        if seconds > _SHORTEST_S:
            self._add(self.here, seconds, 0.0)
        return self

    def arrive(self, there: Point, at_s: float) -> Self:
        """Be at a point at a given moment: wait first, or hurry when it is late already."""
        spare = at_s - self.time_s - self.needs_s(there)
        self.wait(spare)
        return self.stride(there, at_s - self.time_s)

    def stride(self, there: Point, seconds: float) -> Self:
        """Walk to a point in just so many seconds."""
        needed = self.needs_s(there)
        if needed > _SHORTEST_S:
            seconds = max(seconds, _SHORTEST_S)
            self._add(there, seconds, self.pace_mps * needed / seconds)
        return self

    def vanish(self, there: Point, seconds: float) -> Self:
        """Be nowhere for a while, then at a point."""
        self.time_s += seconds
        self.here = there
        return self

    def trip(self) -> Trip:
        """All the legs so far."""
        return Trip(tuple(self._legs))

    def _add(self, there: Point, seconds: float, pace_mps: float) -> None:
        end_s = self.time_s + seconds
        self._legs.append(Leg(self.time_s, end_s, self.here, there, pace_mps))
        self.time_s, self.here = end_s, there
