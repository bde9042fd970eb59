"""A motion model that is added by this file and one line of the table: what is seen stays there.

What follows its name in `--motion drift:FILE` is its file of weights.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.tracking.motion.base import MotionModel

LINE = ("helpers.added.motion:DriftMotion", "every box drifts as the weights say: drift:FILE")


class DriftMotion(MotionModel):
    """Boxes that move by as many pixels to the right in every frame as the weights say."""

    def __init__(self, config, argument=""):
        self._weights = Path(argument)
        self._step_px = float(self._weights.read_text())
        self._xyxy = np.empty((0, 4), np.float32)

    @cached_property
    def fingerprint(self):
        return weights_digest(self._weights)

    def __len__(self):
        return len(self._xyxy)

    def initiate(self, xyxy, score):
        self._xyxy = np.concatenate((self._xyxy, xyxy))

    def keep(self, rows):
        self._xyxy = self._xyxy[rows]

    def predict(self, step_s, coasting):
        self._xyxy[:, ::2] += self._step_px

    def update(self, rows, xyxy, score):
        self._xyxy[rows] = xyxy

    def restart(self, rows, xyxy):
        self._xyxy[rows] = xyxy

    def shift(self, offset):
        self._xyxy += np.tile(offset, 2).astype(np.float32)

    def warp(self, affine):
        self.shift(affine[:, 2])

    def xyxy(self):
        return self._xyxy.copy()

    def ahead(self, step_s):
        return self.xyxy()

    def gate_distance(self, xyxy, rows):
        return np.zeros(len(rows), np.float32)

    def select(self, rows):
        out = type(self)(None, str(self._weights))
        out._xyxy = self._xyxy[rows]
        return out

    def store(self, rows, other):
        self._xyxy[rows] = other._xyxy

    def extend(self, other):
        self._xyxy = np.concatenate((self._xyxy, other._xyxy))
