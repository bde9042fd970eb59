"""What a detector makes of boxes, replayed from detections that were matched with the truth.

Errors of neighbouring frames are alike and have heavy tails, and misses come in runs. So nothing is
fitted: a piece of what befell one object is laid over another object's boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mot_dinov3.data.trajectories.base import Trajectories
from mot_dinov3.values import FloatArray
from mot_dinov3.values.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh


@dataclass(frozen=True, slots=True)
class DetectorNoise:
    """What befell the boxes of one object after the other.

    Attributes:
        errors: (N, 5) float32: errors of centre x, centre y, width and height as shares of width
            and height, and the detector's confidence; NaN in rows that were not seen.
    """

    errors: FloatArray

    @classmethod
    def learn(cls, sequences: Sequence[Trajectories]) -> Self | None:
        """Collect the errors of all sequences with detections; None where there are none."""
        found = [_list_errors(one) for one in sequences if one.detected]
        return cls(np.concatenate(found)) if found else None

    def replay(self, truth: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """See boxes as the detector would have.

        Args:
            truth: (F, T, 4) float32 xyxy, NaN where absent.
            rng: chooses the piece that is laid over each object.

        Returns:
            (F, T, 4) boxes, NaN where absent or missed, and (F, T) confidence, 0 there.
        """
        frames, objects = truth.shape[:2]
        start = rng.integers(0, len(self.errors), objects)
        rows = (start + np.arange(frames)[:, None]) % len(self.errors)
        drawn = self.errors[rows]
        boxes = xyxy_to_cxcywh(truth.reshape(-1, 4)).reshape(truth.shape)
        size = boxes[..., 2:].copy()
        boxes[..., :2] += drawn[..., :2] * size
        boxes[..., 2:] *= np.maximum(1.0 + drawn[..., 2:4], 0.1)
        seen = cxcywh_to_xyxy(boxes.reshape(-1, 4)).reshape(truth.shape)
        known = np.isfinite(seen[..., 0])
        return seen, np.where(known, drawn[..., 4], 0.0).astype(np.float32)


def _list_errors(one: Trajectories) -> FloatArray:
    """(N, 5) errors of one sequence, an object after the other, where each was present."""
    shape = one.truth.shape
    truth = xyxy_to_cxcywh(one.truth.reshape(-1, 4)).reshape(shape)
    seen = xyxy_to_cxcywh(one.seen.reshape(-1, 4)).reshape(shape)
    errors = (seen - truth) / np.concatenate((truth[..., 2:], truth[..., 2:]), axis=-1)
    rows = np.concatenate((errors, one.score[..., None]), axis=-1)
    return np.asarray(rows.swapaxes(0, 1)[one.present.T], np.float32)
