"""Where tracks were really seen: their last boxes, and what the motion model was then.

A prediction drifts while a track is not seen; observations do not. Cao et al. 2023 (OC-SORT) build
the direction cost and the re-update on them.
"""

from __future__ import annotations

import numpy as np

from mot_dinov3.tracking.motion.base import MotionModel, affine_scale
from mot_dinov3.values import BoolArray, DoubleArray, FloatArray, IntArray
from mot_dinov3.values.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh

RING = 16
"""Observations kept of a track."""

PATH_SCORE = 0.6
"""Confidence given to boxes on the straight path between two observations."""


class Trajectory:
    """Observations of T tracks; row i belongs to row i of the tracker's other arrays.

    Attributes:
        boxes: (T, RING, 4) centre x, centre y, width, height in pixels of the latest frame.
        time_s: (T, RING) when each was seen, -inf where nothing is stored.
        count: (T,) observations so far; the last one is stored at `(count - 1) % RING`.
        anchor: the motion model as it was at each track's last observation; without tracks unless
            the trajectory is anchored.
    """

    def __init__(self, motion: MotionModel, *, anchored: bool = False) -> None:
        """Begin without tracks.

        Args:
            motion: the motion model, of which the anchor is a copy without tracks.
            anchored: keep what the motion model was at the last observations, for `re_update`.
        """
        self.boxes: DoubleArray = np.zeros((0, RING, 4))
        self.time_s: DoubleArray = np.zeros((0, RING))
        self.count: IntArray = np.zeros(0, np.int64)
        self.anchored = anchored
        self.anchor = motion.select(np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.count)

    @property
    def last(self) -> DoubleArray:
        """(T, 4) the last box seen, as centre and size."""
        return self.boxes[np.arange(len(self)), (self.count - 1) % RING]

    def keep(self, rows: BoolArray) -> None:
        """Drop every track that is not in `rows`."""
        self.boxes, self.time_s = self.boxes[rows], self.time_s[rows]
        self.count = self.count[rows]
        if self.anchored:
            self.anchor.keep(rows)

    def extend(self, n: int, motion: MotionModel) -> None:
        """Append `n` tracks without an observation, the last ones of `motion`."""
        self.boxes = np.concatenate((self.boxes, np.zeros((n, RING, 4))))
        self.time_s = np.concatenate((self.time_s, np.full((n, RING), -np.inf)))
        self.count = np.concatenate((self.count, np.zeros(n, np.int64)))
        if self.anchored:
            self.anchor.extend(motion.select(np.arange(len(motion) - n, len(motion))))

    def observe(self, rows: IntArray, xyxy: FloatArray, time_s: float, motion: MotionModel) -> None:
        """Store where tracks were seen.

        Args:
            rows: (M,) the tracks.
            xyxy: (M, 4) float32 their boxes.
            time_s: of the frame.
            motion: the model, corrected with those boxes already.
        """
        slot = self.count[rows] % RING
        self.boxes[rows, slot] = xyxy_to_cxcywh(xyxy)
        self.time_s[rows, slot] = time_s
        self.count[rows] += 1
        if self.anchored:
            self.anchor.store(rows, motion.select(rows))

    def warp(self, affine: DoubleArray) -> None:
        """Carry all observations through a camera motion, a (2, 3) affine map of pixels."""
        scale = affine_scale(affine)
        self.boxes[..., :2] = self.boxes[..., :2] @ affine[:, :2].T + affine[:, 2]
        self.boxes[..., 2:] *= scale
        if self.anchored:
            self.anchor.warp(affine)

    def shift(self, offset: DoubleArray) -> None:
        """Move all observations by `offset` (2,) pixels."""
        self.boxes[..., :2] += offset
        if self.anchored:
            self.anchor.shift(offset)

    def earlier(self, span_s: float) -> tuple[DoubleArray, BoolArray]:
        """Where each track was seen `span_s` seconds before its last observation.

        Where no observation was stored at that moment, the one just before it counts.

        Returns:
            (T, 4) boxes, and (T,) whether there is one.
        """
        every = np.arange(len(self))
        seen_s = self.time_s[every, (self.count - 1) % RING] if len(self) else np.zeros(0)
        before = np.where(self.time_s <= seen_s[:, None] - span_s + 1e-6, self.time_s, -np.inf)
        slot = before.argmax(axis=1) if len(self) else np.zeros(0, np.int64)
        return self.boxes[every, slot], np.isfinite(before[every, slot])

    def re_update(
        self,
        rows: IntArray,
        xyxy: FloatArray,
        steps: IntArray,
        motion: MotionModel,
        step_s: float,
    ) -> None:
        """Correct returned tracks as if they had been seen along a straight path meanwhile.

        Args:
            rows: (M,) tracks that were unseen and are seen again.
            xyxy: (M, 4) boxes they are seen at.
            steps: (M,) frames they were unseen.
            motion: what is corrected, in place, up to just before the new observation.
            step_s: seconds per frame.
        """
        goal = xyxy_to_cxcywh(xyxy).astype(np.float64)
        start = self.last[rows]
        path = self.anchor.select(rows)
        none_coasts = np.zeros(len(rows), np.bool_)
        for step in range(1, int(steps.max(initial=0)) + 2):
            walking = np.flatnonzero(step <= steps + 1)
            one = path.select(walking)
            one.predict(step_s, none_coasts[walking])
            on_way = np.flatnonzero(step <= steps[walking])
            share = (step / (steps[walking[on_way]] + 1))[:, None]
            between = start[walking[on_way]] * (1 - share) + goal[walking[on_way]] * share
            boxes = cxcywh_to_xyxy(between.astype(np.float32))
            one.update(on_way, boxes, np.full(len(on_way), PATH_SCORE, np.float32))
            path.store(walking, one)
        motion.store(rows, path)
