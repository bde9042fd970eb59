"""No search at all: what the motion model predicts, the control for those that look."""

from __future__ import annotations

from typing import Self

import numpy as np

from mot_dinov3.config import DeviceConfig
from mot_dinov3.perception.searchers.base import Finds, Searcher, SearcherKind
from mot_dinov3.values import FloatArray, Frame, IntArray


class PredictedPlaces(Searcher):
    """Believes that every target is where it is expected."""

    title = "predict"
    fingerprint = "built in"
    sure = 0.5
    needs_pixels = False

    def show(self, frame: Frame, ids: IntArray, xyxy: FloatArray) -> None:
        """Learn nothing."""

    def search(self, frame: Frame, ids: IntArray, expected: FloatArray) -> Finds:
        """Every target in the box where it is expected."""
        return Finds(expected, np.ones(len(ids), np.float32))

    def forget(self, ids: IntArray) -> None:
        """Forget nothing, for nothing is known."""

    def renew(self) -> Self:
        """The same one."""
        return self


def load_predicted(argument: str, device: str, settings: DeviceConfig) -> Searcher:
    """The searcher that does not look."""
    return PredictedPlaces()


PREDICTED = SearcherKind(load_predicted, needs_pixels=False)
