"""Constant-velocity Kalman filters for many boxes at once.

Position and velocity of each of the four box coordinates form their own two-state filter: with
diagonal noise the usual 8x8 filter (Kalman 1960; on boxes, Bewley et al. 2016) falls apart into
these blocks exactly, so a whole frame is a handful of array operations.
"""

from __future__ import annotations

from typing import Self, cast

import numpy as np

from mot_dinov3.config import MotionConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.tracking.motion.base import REFERENCE_FPS, MotionModel, affine_scale
from mot_dinov3.values import BoolArray, DoubleArray, FloatArray, IntArray
from mot_dinov3.values.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh

FIRST_POSITION, FIRST_VELOCITY = 2.15, 8.3
"""Standard deviations of a new filter, in measurement errors and in steps of velocity noise."""

POSITION, VELOCITY, VAR_POSITION, COVARIANCE, VAR_VELOCITY = range(5)
"""What the layers of `MotionState.state` hold."""


class KalmanMotion(MotionModel):
    """`kalman`: filters of T boxes.

    Attributes:
        state: (5, T, 4) over centre x, centre y, width, height: position in pixels, velocity in
            pixels per reference frame, variance of the position, covariance of the two, variance
            of the velocity.
        config: the noise.
    """

    def __init__(self, config: MotionConfig, argument: str = "") -> None:
        """Begin without tracks.

        Raises:
            UsageError: something stands behind the colon of `--motion kalman:`.
        """
        if argument:
            raise UsageError("--motion kalman takes no argument.", fix="Write --motion kalman.")
        self.config = config
        self.state: DoubleArray = np.zeros((5, 0, 4))

    def __len__(self) -> int:
        return int(self.state.shape[1])

    @property
    def position(self) -> DoubleArray:
        """(T, 4) pixels, a view."""
        return cast("DoubleArray", self.state[POSITION])

    @property
    def velocity(self) -> DoubleArray:
        """(T, 4) pixels per reference frame, a view."""
        return cast("DoubleArray", self.state[VELOCITY])

    @property
    def var_position(self) -> DoubleArray:
        """(T, 4) variance of the position, a view."""
        return cast("DoubleArray", self.state[VAR_POSITION])

    @classmethod
    def start(cls, xyxy: FloatArray, config: MotionConfig) -> Self:
        """Filters for boxes (N, 4) seen for the first time: at rest, and unsure about it."""
        out = cls(config)
        state = np.zeros((5, len(xyxy), 4))
        state[POSITION] = xyxy_to_cxcywh(xyxy)
        size = box_size(state[POSITION], config.size_basis)
        state[VAR_POSITION] = (FIRST_POSITION * config.measurement_noise * size) ** 2
        state[VAR_VELOCITY] = (FIRST_VELOCITY * config.velocity_noise * size) ** 2
        out.state = state
        return out

    def initiate(self, xyxy: FloatArray, score: FloatArray) -> None:
        """See `MotionModel.initiate`; a first box is believed whatever its score."""
        self.extend(self.start(xyxy, self.config))

    def keep(self, rows: IntArray | BoolArray) -> None:
        """Drop every filter that is not in `rows`."""
        self.state = self.state[:, rows]

    def extend(self, other: Self) -> None:
        """Append the filters of `other`."""
        self.state = np.concatenate((self.state, other.state), axis=1)

    def select(self, rows: IntArray | BoolArray) -> Self:
        """A copy of the filters `rows`."""
        out = type(self)(self.config)
        out.state = self.state[:, rows]
        return out

    def store(self, rows: IntArray | BoolArray, other: Self) -> None:
        """Replace the filters `rows` by those of `other`, aligned with them."""
        self.state[:, rows] = other.state

    def predict(self, step_s: float, coasting: BoolArray) -> None:
        """Move every filter `step_s` seconds ahead.

        The boxes of tracks that are `coasting` (T,) keep their size: their growth was last seen
        just before they vanished behind something, which is not how the objects change.
        """
        dt = step_s * REFERENCE_FPS
        position, velocity, var_position, covariance, var_velocity = self.state
        if coasting.any():
            velocity[coasting, 2:] = 0.0
            velocity[coasting, :2] *= self.config.damping**dt
        size = box_size(position, self.config.size_basis)
        position += dt * velocity
        np.maximum(position[:, 2:], 1.0, out=position[:, 2:])
        var_position += dt * (2 * covariance + dt * var_velocity)
        var_position += dt * (self.config.position_noise * size) ** 2
        covariance += dt * var_velocity
        var_velocity += dt * (self.config.velocity_noise * size) ** 2

    def update(self, rows: IntArray, xyxy: FloatArray, score: FloatArray) -> None:
        """Correct the filters `rows` (M,) with the boxes (M, 4) seen for them.

        The measurement noise shrinks with the detector's confidence (M,), down to a share of
        `noise_by_score` (noise-scale-adaptive filter, Du et al. 2021, softened).
        """
        corrected = self.state.take(rows, axis=1)
        position, velocity, var_position, covariance, var_velocity = corrected
        noise = self._measurement_variance(position)
        least = self.config.noise_by_score
        if least < 1:
            trust = np.clip(1.0 + least - score.astype(np.float64), least, 1.0)
            noise = trust[:, None] * noise
        innovation = xyxy_to_cxcywh(xyxy) - position
        spread = var_position + noise
        gain_position, gain_velocity = var_position / spread, covariance / spread
        position += gain_position * innovation
        velocity += gain_velocity * innovation
        var_velocity -= gain_velocity * covariance
        rest = 1 - gain_position
        var_position *= rest
        covariance *= rest
        self.state[:, rows] = corrected

    def restart(self, rows: IntArray, xyxy: FloatArray) -> None:
        """Forget the past of `rows` (M,): an identity came back somewhere else."""
        self.store(rows, self.start(xyxy, self.config))

    def shift(self, offset: DoubleArray) -> None:
        """Move every predicted centre by `offset` (2,) pixels: the camera turned."""
        self.position[:, :2] += offset

    def warp(self, affine: DoubleArray) -> None:
        """Carry all filters through a camera motion, a (2, 3) affine map of pixel coordinates.

        Sizes change with the map's scale; variances are left as they are, because a frame's
        camera motion is small against them.
        """
        turn, scale = affine[:, :2], affine_scale(affine)
        position, velocity = self.position, self.velocity
        position[:, :2] = position[:, :2] @ turn.T + affine[:, 2]
        velocity[:, :2] = velocity[:, :2] @ turn.T
        position[:, 2:] *= scale
        velocity[:, 2:] *= scale

    def xyxy(self) -> FloatArray:
        """(T, 4) float32 boxes as corners."""
        return cxcywh_to_xyxy(self.position.astype(np.float32))

    def ahead(self, step_s: float) -> FloatArray:
        """(T, 4) float32 boxes as corners, `step_s` seconds later if nothing changes."""
        later = self.position + step_s * REFERENCE_FPS * self.velocity
        np.maximum(later[:, 2:], 1.0, out=later[:, 2:])
        return cxcywh_to_xyxy(later.astype(np.float32))

    def gate_distance(
        self, xyxy: FloatArray, rows: IntArray, widened: DoubleArray | float = 1.0
    ) -> FloatArray:
        """(M,) squared Mahalanobis distance of box centres from the predictions of `rows` (M,).

        The variances are multiplied by `widened`, one for all or (M, 2).
        """
        centres = (xyxy[:, :2] + xyxy[:, 2:]) * 0.5
        position = self.position[rows]
        noise = self._measurement_variance(position)[:, :2]
        off = centres - position[:, :2]
        spread = (self.var_position[rows, :2] + noise) * widened
        return np.asarray((off * off / spread).sum(axis=1), np.float32)

    def _measurement_variance(self, position: DoubleArray) -> DoubleArray:
        """Variance of a box measured at `position` with no confidence at all."""
        size = box_size(position, self.config.size_basis)
        return np.square(self.config.measurement_noise * size)


def box_size(position: DoubleArray, basis: str) -> DoubleArray:
    """What the noise of boxes (T, 4) is a share of.

    `mean` of the two sides, `height` (Wojke et al. 2017), `root` of the area, each (T, 1); or
    `sides`, (T, 4): the width for what moves across, the height for what moves up and down
    (Aharon et al. 2022).
    """
    width, height = position[:, 2:3], position[:, 3:4]
    if basis == "height":
        return height
    if basis == "root":
        return np.sqrt(width * height)
    if basis == "sides":
        return np.concatenate((width, height, width, height), axis=1)
    return np.multiply(0.5, width + height)
