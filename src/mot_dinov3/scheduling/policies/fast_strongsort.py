"""The best published rule: no embedding where place alone leaves one possible track.

Bayar and Aker, "When to Extract ReID Features: A Selective Approach for Improved Multiple Object
Tracking" (arXiv:2409.06617), called Fast-StrongSORT. A detection that overlaps exactly one track
is matched by place and takes over that track's appearance, unless its shape differs from what the
track predicts, which tells of occlusion; all others are risky and embedded. Written from the
paper's description.
"""

from __future__ import annotations

import numpy as np

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.base import Argument, PlanInput, Policy
from mot_dinov3.scheduling.policies.continuity import find_claimed_tracks
from mot_dinov3.values import NO_ROWS, BoolArray, EmbedPlan, FloatArray, IntArray, Reason

DEFAULT_IOU = 0.2
"""IoU from which a track is a candidate: the value of the paper's experiments."""

LEAST_SHAPE_SIMILARITY = 0.6
"""Least similarity of the aspect ratios, as there."""


class FastStrongSortPolicy(Policy):
    """`fast-strongsort:IOU` embeds what does not overlap exactly one confirmed track.

    A lower threshold sees more rivals and embeds more; above it, also what has no candidate at
    all is embedded. There are no refreshes: a budget bounds it only if it is hard.
    """

    settings = ("embed_iou_gate",)
    argument = Argument("IOU", default=DEFAULT_IOU, least=0, low=0.05, high=0.7, most=1)
    refreshes = False

    def __init__(self, config: SchedulerConfig, argument: str = "") -> None:
        """Build it.

        Raises:
            UsageError: the threshold is not a number from 0.
        """
        self.config = config
        self.iou = self.argument.read("fast-strongsort", argument)

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """Risky detections are critical, all others reuse their track's embedding."""
        track, _ = find_claimed_tracks(scene, min(self.iou, self.config.iou_gate))
        sure, alone = self._find_sure(scene)
        risky = scene.eligible & ~sure
        reason = np.full(len(scene), Reason.STABLE, np.int8)
        reason[risky] = np.where(alone[risky], Reason.WEAK_IOU, Reason.CROWDED)
        reason[~scene.eligible] = Reason.LOW_SCORE
        return EmbedPlan(
            critical=np.flatnonzero(risky),
            refresh=NO_ROWS,
            reuse=np.flatnonzero(~risky),
            track=track,
            reason=reason,
        )

    def _find_sure(self, scene: PlanInput) -> tuple[BoolArray, BoolArray]:
        """(N,) whether place decides, and (N,) whether at most one track is a candidate."""
        candidate = (scene.iou > self.iou) & scene.confirmed
        count = candidate.sum(axis=1)
        if not scene.iou.shape[1]:
            return np.zeros(len(scene), np.bool_), np.ones(len(scene), np.bool_)
        only = np.where(candidate, scene.iou, -1.0).argmax(axis=1)
        alike = shape_similarity(scene.xyxy, scene.track_xyxy[only], scene.iou, only)
        return (count == 1) & (alike >= LEAST_SHAPE_SIMILARITY), count <= 1


def shape_similarity(
    xyxy: FloatArray, track_xyxy: FloatArray, iou: FloatArray, track: IntArray
) -> FloatArray:
    """(N,) similarity of aspect ratios in [0, 1], 1 for equal shapes.

    1 - V / ((1 - IoU) + V) with V = 4/pi^2 (arctan(w1/h1) - arctan(w2/h2))^2: the aspect term of
    CIoU (Zheng et al. 2020) as a similarity.

    Args:
        xyxy: (N, 4) detections.
        track_xyxy: (N, 4) the predicted box that each is compared with.
        iou: (N, T) IoU of detections and tracks.
        track: (N,) the track that each is compared with.
    """
    overlap = iou[np.arange(len(xyxy)), track]
    v = 4 / np.pi**2 * (_angle(xyxy) - _angle(track_xyxy)) ** 2
    return np.asarray(1 - v / np.maximum(1 - overlap + v, 1e-9), np.float32)


def _angle(xyxy: FloatArray) -> FloatArray:
    angle = np.arctan2(xyxy[:, 2] - xyxy[:, 0], xyxy[:, 3] - xyxy[:, 1])
    return np.asarray(angle, np.float32)
