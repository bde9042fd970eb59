"""How the tracks of a tracker move: the motion model, and where it helps what was really seen."""

from __future__ import annotations

import numpy as np

from mot_dinov3.config import MotionConfig
from mot_dinov3.tracking.motion.factory import create_motion
from mot_dinov3.tracking.track_table import FrameSteps, TrackTable
from mot_dinov3.tracking.trajectory import Trajectory
from mot_dinov3.values import BoolArray, DoubleArray, FloatArray, IntArray


class Movement:
    """The motion model of all tracks, and their trajectories where these are asked for.

    Attributes:
        model: the motion model.
        trajectory: where tracks were really seen, None where nothing needs it.
    """

    def __init__(self, config: MotionConfig, most_lost_s: float, *, needs_past: bool) -> None:
        """Begin without tracks.

        Args:
            config: the motion model and its noise.
            most_lost_s: for how long the prediction of a lost track means something.
            needs_past: the association looks at where tracks came from.
        """
        self.model = create_motion(config)
        self.trajectory: Trajectory | None = None
        self._most_lost_s, self._re_update = most_lost_s, config.re_update
        if needs_past or config.re_update:
            self.trajectory = Trajectory(self.model, anchored=config.re_update)

    def warp(self, affine: DoubleArray) -> None:
        """Carry all tracks through a camera motion, a (2, 3) affine map of pixel coordinates."""
        self.model.warp(affine)
        if self.trajectory is not None:
            self.trajectory.warp(affine)

    def shift(self, offset: DoubleArray) -> None:
        """Move all tracks by `offset` (2,) pixels."""
        self.model.shift(offset)
        if self.trajectory is not None:
            self.trajectory.shift(offset)

    def keep(self, rows: BoolArray) -> None:
        """Drop every track that is not in `rows` (T,)."""
        self.model.keep(rows)
        if self.trajectory is not None:
            self.trajectory.keep(rows)

    def initiate(self, boxes: FloatArray, score: FloatArray, time_s: float) -> None:
        """Append tracks first seen in `boxes` (N, 4), with the detector's confidence (N,)."""
        n = len(boxes)
        self.model.initiate(boxes, score)
        if self.trajectory is not None:
            self.trajectory.extend(n, self.model)
            new = np.arange(len(self.model) - n, len(self.model))
            self.trajectory.observe(new, boxes, time_s, self.model)

    def correct(
        self,
        rows: IntArray,
        boxes: FloatArray,
        score: FloatArray,
        table: TrackTable,
        steps: FrameSteps,
    ) -> None:
        """Correct the prediction of tracks that were seen; after a long absence it begins anew.

        Args:
            rows: (M,) the tracks.
            boxes: (M, 4) the boxes they were seen at.
            score: (M,) the detector's confidence.
            table: tells how long each was missed; it does not know of this frame yet.
            steps: the time of the frame.
        """
        absent = table.lost_s[rows] > self._most_lost_s
        trajectory, here = self.trajectory, ~absent
        if trajectory is not None and self._re_update:
            back = here & (table.misses[rows] > 0)
            trajectory.re_update(
                rows[back], boxes[back], table.misses[rows[back]], self.model, steps.step_s
            )
        if absent.any():
            self.model.update(rows[here], boxes[here], score[here])
            self.model.restart(rows[absent], boxes[absent])
        else:  # as in nearly every frame
            self.model.update(rows, boxes, score)
        if trajectory is not None:
            trajectory.observe(rows, boxes, steps.time_s, self.model)
