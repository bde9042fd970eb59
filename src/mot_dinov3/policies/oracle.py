"""The oracle: sees the ground truth, and so bounds what any policy can reach.

It spends a crop only where association by place would name the wrong identity, on the rivals of
that mistake, and on what a gallery needs to be of use. It works in a replay only, where the truth
is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

import numpy as np
from scipy.optimize import linear_sum_assignment

from mot_dinov3.boxes import iou_matrix
from mot_dinov3.config import SchedulerConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.mot import MotTable
from mot_dinov3.policies.base import PlanInput, number_argument
from mot_dinov3.policies.continuity import claims
from mot_dinov3.structures import BoolArray, EmbedPlan, FloatArray, FrameResult, IntArray, Reason

DEFAULT_GALLERY = 3.0
"""Embeddings of good quality that a track gets before anything goes wrong."""

SPACED_FRAMES = 5
"""Frames between two of them."""

GOOD_QUALITY = 0.5
MATCH_IOU = 0.5
FAR = 1e6


def outside_replay(config: SchedulerConfig, argument: str = "") -> NoReturn:
    """Refuse: nobody knows the truth of a video that is tracked for the first time.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        "The policy oracle sees the ground truth, which only a replay has.",
        fix="python cli.py cache ... and then: python cli.py replay --policies oracle ...",
    )


class OraclePolicy:
    """`oracle:K` keeps K embeddings of every track and else embeds only against mistakes."""

    def __init__(
        self, config: SchedulerConfig, argument: str, truth: MotTable, frames: Sequence[int]
    ) -> None:
        """Look into the truth.

        Args:
            config: for the gate of continuity.
            argument: K, empty for the default.
            truth: who is where.
            frames: index in the source of each frame that will be tracked, in order.

        Raises:
            UsageError: K is no number from 0.
        """
        self.config = config
        self.gallery = number_argument("oracle", argument, DEFAULT_GALLERY, 0)
        self.truth = truth
        self.frames = frames
        self._owner: dict[int, int] = {}
        self._who: IntArray = np.empty(0, np.int64)

    def learn(self, result: FrameResult) -> None:
        """See how the frame that was planned last ended: which track holds which identity now."""
        for track, row in zip(result.tracks.id, result.tracks.detection, strict=True):
            if row >= 0 and self._who[row] > 0:
                self._owner[int(track)] = int(self._who[row])

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """Critical against mistakes, refresh for galleries, reuse else."""
        self._who = self._identities(scene)
        owner = _owners(np.concatenate((scene.track_id, scene.lost_id)), self._owner)
        outcome = by_place(scene)
        wrong = self._mistakes(scene, owner, outcome)
        wrong |= self._rivals(wrong, owner, outcome) & scene.eligible
        enrol = self._enrolments(scene, owner, outcome) & ~wrong
        track, _ = claims(scene, self.config.iou_gate)
        reason = np.full(len(scene), Reason.STABLE, np.int8)
        reason[enrol], reason[wrong] = Reason.ENROL, Reason.AMBIGUOUS
        reason[~scene.eligible] = Reason.LOW_SCORE
        return EmbedPlan(
            critical=np.flatnonzero(wrong),
            refresh=np.flatnonzero(enrol),
            reuse=np.flatnonzero(~wrong & ~enrol),
            track=track,
            reason=reason,
        )

    def _identities(self, scene: PlanInput) -> IntArray:
        """(N,) true identity of each detection, 0 for none."""
        here = self.truth.rows_of(self.frames[scene.frame_index])
        iou = iou_matrix(scene.xyxy, self.truth.xyxy[here])
        rows, columns = linear_sum_assignment(-iou)
        good = iou[rows, columns] >= MATCH_IOU
        out = np.zeros(len(scene), np.int64)
        out[rows[good]] = self.truth.track_id[here][columns[good]]
        return out

    def _mistakes(self, scene: PlanInput, owner: IntArray, outcome: IntArray) -> BoolArray:
        """Detections that place alone would give to another identity, or to nobody's track."""
        who = self._who
        taken = np.where(outcome >= 0, owner[outcome] if len(owner) else 0, 0)
        possible = np.isfinite(scene.cost)
        back = np.isfinite(scene.lost_cost) | scene.returns
        reachable = np.concatenate((possible, back), axis=1)
        mine = (owner[None, :] == who[:, None]) & (who > 0)[:, None] & reachable
        stolen = (outcome >= 0) & (taken > 0) & (taken != who)
        orphan = (outcome < 0) & mine.any(axis=1)
        return scene.eligible & (stolen | orphan)

    def _rivals(self, wrong: BoolArray, owner: IntArray, outcome: IntArray) -> BoolArray:
        """Detections on the tracks that the wrong ones should have, or should be where they go."""
        taken = outcome[wrong]
        robbed = owner[taken[taken >= 0]]
        wanted = np.flatnonzero(np.isin(owner, self._who[wrong]) & (owner > 0))
        return np.isin(outcome, wanted) | (np.isin(self._who, robbed) & (self._who > 0))

    def _enrolments(self, scene: PlanInput, owner: IntArray, outcome: IntArray) -> BoolArray:
        """Good views of tracks that remember too little."""
        active = (outcome >= 0) & (outcome < len(scene.track_id))
        track = np.where(active, outcome, 0)
        if not len(scene.track_id):
            return np.zeros(len(scene), np.bool_)
        few = scene.gallery_count[track] < self.gallery
        rested = (scene.staleness[track] >= SPACED_FRAMES) | ~scene.known[track]
        good = scene.eligible & (scene.quality >= GOOD_QUALITY) & (owner[track] == self._who)
        result: BoolArray = active & few & rested & good & (self._who > 0)
        return result


def by_place(scene: PlanInput) -> IntArray:
    """(N,) column of the track, active ones before lost ones, that place alone would choose; -1."""
    cost: FloatArray = np.concatenate((scene.cost, scene.lost_cost), axis=1)
    finite = np.isfinite(cost)
    # A confident detection comes before a weak one, as it does in association.
    order = np.where(finite, cost + np.where(scene.eligible, 0.0, 10.0)[:, None], FAR)
    rows, columns = linear_sum_assignment(order)
    out = np.full(len(scene), -1, np.int64)
    good = finite[rows, columns]
    out[rows[good]] = columns[good]
    return out


def _owners(track_id: IntArray, owner: Mapping[int, int]) -> IntArray:
    return np.array([owner.get(int(number), 0) for number in track_id], np.int64)
