"""The documented rule: embed what is new, unsure or crowded; refresh the rest by age."""

from __future__ import annotations

import numpy as np

from mot_dinov3.config import RULE_SETTINGS, SchedulerConfig
from mot_dinov3.scheduling.policies.base import (
    POOR_QUALITY,
    PlanInput,
    Policy,
    refuse_argument,
)
from mot_dinov3.scheduling.policies.order import sort_best_first
from mot_dinov3.values import BoolArray, EmbedPlan, IntArray, Reason

NEVER = np.int64(1) << 40
"""Staleness of a track without any embedding: first in every order."""


class ContinuityPolicy(Policy):
    """Critical without a track, with weak continuity or in a crowd; otherwise by staleness."""

    settings = RULE_SETTINGS

    def __init__(self, config: SchedulerConfig, argument: str = "") -> None:
        """Build it.

        Raises:
            UsageError: something stands behind its colon.
        """
        refuse_argument("continuity", argument)
        self.config = config

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """See `plan_embeddings`."""
        return plan_embeddings(scene, self.config)


def plan_embeddings(scene: PlanInput, config: SchedulerConfig) -> EmbedPlan:
    """Decide which detections need a real embedding this frame. Pure: no clock, no model.

    A refresh that does not fit the budget needs no queue: its track is one frame staler next
    time, so sorting by staleness serves the oldest debt first, and a track that is gone takes
    its debt with it. A track that never had an embedding is the stalest of all, unless the crop is
    so poor that its gallery would refuse it: that one waits for its turn like all others. What
    is too weak to start a track and near none ends without a track, whatever it looks like.
    """
    n = len(scene.eligible)
    reason = np.full(n, Reason.STABLE, np.int8)
    track, continues = find_claimed_tracks(scene, config.iou_gate)
    stale = _find_staleness(scene, track)
    reason[stale >= config.refresh_every] = Reason.DUE
    reason[scene.overlap > config.overlap_thr] = Reason.CROWDED
    reason[~continues] = Reason.WEAK_IOU if scene.iou.shape[1] else Reason.NO_TRACK
    reason[~scene.eligible | ~(scene.fertile | _find_near(scene))] = Reason.LOW_SCORE

    due = reason == Reason.DUE
    idle = (reason == Reason.STABLE) | (reason == Reason.LOW_SCORE)
    return EmbedPlan(
        critical=sort_best_first(~idle & ~due, stale),
        refresh=sort_best_first(due, stale),
        reuse=np.flatnonzero(idle),
        track=track,
        reason=reason,
    )


def find_claimed_tracks(scene: PlanInput, gate: float) -> tuple[IntArray, BoolArray]:
    """Find the active track that each detection continues: its best, if it is that one's best too.

    A confident detection comes before a weak one, as it does in association.

    Args:
        scene: the frame.
        gate: least IoU.

    Returns:
        (N,) track rows, -1 for none, and (N,) whether there is one.
    """
    n, n_tracks = scene.iou.shape
    if not n or not n_tracks:
        return np.full(n, -1, np.int64), np.zeros(n, np.bool_)
    best, rows = scene.iou.argmax(axis=1), np.arange(n)
    close = scene.iou >= gate
    rank = np.where(close, scene.iou + 2 * scene.eligible[:, None], 0.0)
    continues = close[rows, best] & (rank.argmax(axis=0)[best] == rows)
    return np.where(continues, best, -1), continues


def _find_near(scene: PlanInput) -> BoolArray:
    """(N,) detections that place alone may give to a track, active or lost."""
    here, away = np.isfinite(scene.cost).any(axis=1), np.isfinite(scene.lost_cost).any(axis=1)
    return np.asarray(here | away, np.bool_)


def _find_staleness(scene: PlanInput, track: IntArray) -> IntArray:
    """(N,) staleness of the continued track; beyond all others where nothing was remembered yet.

    A poor crop does not change that, so its track is as stale as it is.
    """
    if not len(scene.staleness):
        return np.full(len(track), NEVER)
    first = ~scene.known[track] & (scene.quality >= POOR_QUALITY)
    return np.where(track >= 0, scene.staleness[track] + NEVER * first, NEVER)
