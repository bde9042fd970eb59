"""Constant-velocity Kalman filters for many boxes at once.

Position and velocity of each of the four box coordinates form their own two-state filter: with
diagonal noise the usual 8x8 filter (Kalman 1960; on boxes, Bewley et al. 2016) falls apart into
these blocks exactly, so a whole frame is a handful of array operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh
from mot_dinov3.config import MotionConfig
from mot_dinov3.structures import BoolArray, FloatArray, IntArray

Array: TypeAlias = NDArray[np.float64]

REFERENCE_FPS = 30.0
"""Noise is per 1/30 s; other frame rates are scaled by their time step."""

CHI2_95_2DOF = 5.991
"""95 % of the squared Mahalanobis distances of a true match's centre lie below this."""

BIRTH_POSITION, BIRTH_VELOCITY = 2.15, 8.3
"""A newborn's spread: so many measurement errors, and so many steps of velocity noise."""

_COLUMNS = ("position", "velocity", "var_position", "covariance", "var_velocity")


@dataclass(slots=True)
class MotionState:
    """Filters of T boxes; every array is (T, 4) over centre x, centre y, width, height.

    Attributes:
        position: pixels.
        velocity: pixels per reference frame.
        var_position: variance of `position`.
        covariance: covariance of `position` and `velocity`.
        var_velocity: variance of `velocity`.
        config: the noise.
    """

    position: Array
    velocity: Array
    var_position: Array
    covariance: Array
    var_velocity: Array
    config: MotionConfig

    def __len__(self) -> int:
        return len(self.position)

    @classmethod
    def start(cls, xyxy: FloatArray, config: MotionConfig | None = None) -> MotionState:
        """Filters for boxes (N, 4) seen for the first time: at rest, and unsure about it."""
        config = config or MotionConfig()
        position = xyxy_to_cxcywh(xyxy).astype(np.float64)
        size = box_size(position, config.size_basis)
        still = np.zeros_like(position)
        spread = BIRTH_POSITION * config.measurement_noise * size
        push = BIRTH_VELOCITY * config.velocity_noise * size
        var_position = np.broadcast_to(spread**2, position.shape).copy()
        var_velocity = np.broadcast_to(push**2, position.shape).copy()
        return cls(position, still, var_position, still.copy(), var_velocity, config)

    def keep(self, rows: IntArray | BoolArray) -> None:
        """Drop every filter that is not in `rows`."""
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[rows])

    def extend(self, other: MotionState) -> None:
        """Append the filters of `other`."""
        for name in _COLUMNS:
            setattr(self, name, np.concatenate((getattr(self, name), getattr(other, name))))

    def select(self, rows: IntArray | BoolArray) -> MotionState:
        """A copy of the filters `rows`."""
        position, velocity, var_position, covariance, var_velocity = (
            getattr(self, name)[rows].copy() for name in _COLUMNS
        )
        return MotionState(position, velocity, var_position, covariance, var_velocity, self.config)

    def store(self, rows: IntArray | BoolArray, other: MotionState) -> None:
        """Replace the filters `rows` by those of `other`, aligned with them."""
        for name in _COLUMNS:
            getattr(self, name)[rows] = getattr(other, name)

    def predict(self, step_s: float, coasting: BoolArray) -> None:
        """Move every filter `step_s` seconds ahead.

        A coasting box (T,) keeps its size: its growth was last seen just before it vanished
        behind something, which is not how the object itself changes.
        """
        dt = step_s * REFERENCE_FPS
        self.velocity[coasting, 2:] = 0.0
        self.velocity[coasting, :2] *= self.config.damping**dt
        size = box_size(self.position, self.config.size_basis)
        self.position += dt * self.velocity
        np.maximum(self.position[:, 2:], 1.0, out=self.position[:, 2:])
        self.var_position += dt * (2 * self.covariance + dt * self.var_velocity)
        self.var_position += dt * (self.config.position_noise * size) ** 2
        self.covariance += dt * self.var_velocity
        self.var_velocity += dt * (self.config.velocity_noise * size) ** 2

    def update(self, rows: IntArray, xyxy: FloatArray, score: FloatArray) -> None:
        """Correct the filters `rows` (M,) with the boxes (M, 4) seen for them.

        The measurement noise shrinks with the detector's confidence (M,), down to a share of
        `noise_by_score` (noise-scale-adaptive filter, Du et al. 2021, softened).
        """
        measured = xyxy_to_cxcywh(xyxy)
        least = self.config.noise_by_score
        trust = np.clip(1.0 + least - score.astype(np.float64), least, 1.0)[:, None]
        noise = trust * self._error(self.position[rows])
        var, cov = self.var_position[rows], self.covariance[rows]
        gain_position = var / (var + noise)
        gain_velocity = cov / (var + noise)
        innovation = measured - self.position[rows]
        self.position[rows] += gain_position * innovation
        self.velocity[rows] += gain_velocity * innovation
        self.var_position[rows] = (1 - gain_position) * var
        self.covariance[rows] = (1 - gain_position) * cov
        self.var_velocity[rows] -= gain_velocity * cov

    def restart(self, rows: IntArray, xyxy: FloatArray) -> None:
        """Forget the past of `rows` (M,): an identity came back somewhere else."""
        self.store(rows, MotionState.start(xyxy, self.config))

    def shift(self, offset: Array) -> None:
        """Move every predicted centre by `offset` (2,) pixels: the camera turned."""
        self.position[:, :2] += offset

    def warp(self, affine: Array) -> None:
        """Carry all filters through a camera motion, a (2, 3) affine map of pixel coordinates.

        Sizes change with the map's scale; variances are left as they are, because a frame's
        camera motion is small against them.
        """
        turn, scale = affine[:, :2], affine_scale(affine)
        self.position[:, :2] = self.position[:, :2] @ turn.T + affine[:, 2]
        self.velocity[:, :2] = self.velocity[:, :2] @ turn.T
        self.position[:, 2:] *= scale
        self.velocity[:, 2:] *= scale

    def xyxy(self) -> FloatArray:
        """(T, 4) float32 boxes as corners."""
        return cxcywh_to_xyxy(self.position.astype(np.float32))

    def ahead(self, step_s: float) -> FloatArray:
        """(T, 4) float32 boxes as corners, `step_s` seconds later if nothing changes."""
        later = self.position + step_s * REFERENCE_FPS * self.velocity
        np.maximum(later[:, 2:], 1.0, out=later[:, 2:])
        return cxcywh_to_xyxy(later.astype(np.float32))

    def gate_distance(self, xyxy: FloatArray, rows: IntArray) -> FloatArray:
        """(M,) squared Mahalanobis distance of box centres from the predictions of `rows` (M,)."""
        centres = (xyxy[:, :2] + xyxy[:, 2:]) * 0.5
        position = self.position[rows]
        noise = self._error(position)[:, :2]
        off = centres - position[:, :2]
        distance: FloatArray = (off * off / (self.var_position[rows, :2] + noise)).sum(axis=1)
        return distance.astype(np.float32)

    def _error(self, position: Array) -> Array:
        """Variance of a box measured at `position` with no confidence at all."""
        size = box_size(position, self.config.size_basis)
        error: Array = (self.config.measurement_noise * size) ** 2
        return error


def box_size(position: Array, basis: str) -> Array:
    """What the noise of boxes (T, 4) is a share of.

    `mean` of the two sides, `height` (Wojke et al. 2017), `root` of the area, each (T, 1); or
    `sides`, (T, 4): the width for what moves across, the height for what moves up and down
    (Aharon et al. 2022).
    """
    width, height = position[:, 2:3], position[:, 3:4]
    if basis == "height":
        return height
    if basis == "root":
        root: Array = np.sqrt(width * height)
        return root
    if basis == "sides":
        return np.concatenate((width, height, width, height), axis=1)
    mean: Array = 0.5 * (width + height)
    return mean


def affine_scale(affine: Array) -> float:
    """How much larger things get under an affine map (2, 3)."""
    return float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
