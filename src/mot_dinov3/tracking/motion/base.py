"""What a motion model is to the tracker."""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np

from mot_dinov3.values import BoolArray, DoubleArray, FloatArray, IntArray

REFERENCE_FPS = 30.0
"""Settings of motion are per 1/30 s; other frame rates are scaled by their time step."""

CHI2_95_2DOF = 5.991
"""95 % of the gate distances of true matches lie below this: squared Mahalanobis distances in two
dimensions."""


class MotionModel(Protocol):
    """Predicts the boxes of T tracks; row i belongs to row i of the tracker's other arrays.

    It is built from the motion settings and the argument that stood behind its name, "runs/x" for
    `--motion samba:runs/x` and "" for none, and begins without tracks. In every frame the tracker
    calls `warp` where the camera's motion was measured, then `predict`, `shift` where the boxes
    alone show a camera jump, `update` with the tracks that were seen, `initiate` for new ones and
    `keep` for those that remain. A track whose row is not in `update` was not seen in that frame.

    Whatever a model remembers of a track besides (a covariance, a hidden state) lives in rows, too:
    `select`, `store` and `extend` copy it along.
    """

    @property
    def fingerprint(self) -> str:
        """What tells its weights from others, such as the sha256 of their file; "" without any.

        Raises:
            InputError: the weights cannot be read any more.
        """
        return ""

    def __len__(self) -> int:
        """How many tracks there are."""

    def initiate(self, xyxy: FloatArray, score: FloatArray) -> None:
        """Append tracks seen for the first time.

        Args:
            xyxy: (N, 4) float32 the boxes they were seen at, in pixels.
            score: (N,) float32 the detector's confidence.
        """

    def keep(self, rows: IntArray | BoolArray) -> None:
        """Drop every track that is not in `rows`."""

    def predict(self, step_s: float, coasting: BoolArray) -> None:
        """Move every track ahead.

        Args:
            step_s: seconds since the last prediction.
            coasting: (T,) tracks that are lost and so were not seen in the last frame.
        """

    def update(self, rows: IntArray, xyxy: FloatArray, score: FloatArray) -> None:
        """Correct the prediction of tracks that were seen.

        Args:
            rows: (M,) the tracks, each once.
            xyxy: (M, 4) float32 the boxes they were seen at, in pixels.
            score: (M,) float32 the detector's confidence.
        """

    def restart(self, rows: IntArray, xyxy: FloatArray) -> None:
        """Forget the past of tracks `rows` (M,) that came back at other places `xyxy` (M, 4)."""

    def shift(self, offset: DoubleArray) -> None:
        """Move every predicted centre by `offset` (2,) pixels: the camera turned."""

    def warp(self, affine: DoubleArray) -> None:
        """Carry all tracks through a camera motion, a (2, 3) affine map of pixel coordinates."""

    def xyxy(self) -> FloatArray:
        """(T, 4) float32 predicted boxes as corners."""

    def ahead(self, step_s: float) -> FloatArray:
        """(T, 4) float32 boxes as corners, `step_s` seconds later if nothing changes."""

    def gate_distance(self, xyxy: FloatArray, rows: IntArray) -> FloatArray:
        """How far boxes are from predictions, measured by how sure the model is of these.

        Args:
            xyxy: (M, 4) float32 boxes.
            rows: (M,) the track that each is compared with.

        Returns:
            (M,) float32 squared Mahalanobis distances of the centres, to be compared with
            `CHI2_95_2DOF`.
        """

    def select(self, rows: IntArray | BoolArray) -> Self:
        """A copy of the tracks `rows`."""

    def store(self, rows: IntArray | BoolArray, other: Self) -> None:
        """Replace the tracks `rows` by those of `other`, aligned with them."""

    def extend(self, other: Self) -> None:
        """Append the tracks of `other`."""


def affine_scale(affine: DoubleArray) -> float:
    """How much larger things get under an affine map (2, 3)."""
    return float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
