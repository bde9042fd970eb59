"""Associate first, then embed what can change the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.boxes import area
from mot_dinov3.config import SchedulerConfig
from mot_dinov3.policies.base import PlanInput, number_argument
from mot_dinov3.policies.regret import Stakes, stakes
from mot_dinov3.structures import BoolArray, EmbedPlan, FloatArray, IntArray, Reason

PRICE = 0.3
"""Least worth of a crop that is embedded, unless another is asked for."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What embeddings are worth; every worth is in [0, 1].

    Attributes:
        regret: place alone is trusted from this difference to the next best assignment on.
        half_known: share of an ambiguity that looks can settle if one side has a gallery only.
        stranger: cosine distance at which two identities look as different as strangers do.
        birth: an unmatched detection near a lost track.
        gap_s: a lost track that is found again after so long is a stranger until looked at.
        enrol: a track without any embedding, and with few.
        gallery: real embeddings that a track should have.
        snapshot: a track about to be covered or to leave, once its embedding is `stale` old.
        covered: share that another track must be about to cover.
        drift: change of looks, in cosine distance, that is worth 1.
        stale: frames after which an embedding is old.
        quality: crops below this are not worth remembering.
        oldest: frames after which nobody is left waiting.
        turns: every so many slots one belongs to whoever waited longest.
    """

    regret: float = 1.3
    half_known: float = 0.5
    stranger: float = 0.5
    birth: float = 1.0
    gap_s: float = 0.5
    gap: float = 0.3
    weak: float = 0.35
    weak_worth: float = 1.0
    enrol: tuple[float, ...] = (0.8, 0.5, 0.35)
    snapshot: float = 0.6
    covered: float = 0.25
    drift: float = 0.5
    stale: int = 30
    quality: float = 0.3
    oldest: int = 60
    turns: int = 4
    remember_doubt: int = 1
    period: int = 0


class ValuePolicy:
    """`value:PRICE` embeds what is worth at least its price, from 0 (all) to 1 (the best only)."""

    def __init__(self, config: SchedulerConfig, argument: str = "") -> None:
        """Raises: UsageError, the price is no number from 0."""
        self.price = number_argument("value", argument, PRICE, 0)
        self.worth = Worth()

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """See `plan_by_value`."""
        return plan_by_value(scene, self.price, self.worth)


def plan_by_value(scene: PlanInput, price: float, worth: Worth) -> EmbedPlan:
    """Decide by what an embedding could change. Pure: no clock, no model, no memory."""
    case = stakes(np.hstack((scene.cost, scene.lost_cost)), scene.eligible)
    n, n_tracks = len(scene), len(scene.track_id)
    track = np.where(case.track < n_tracks, case.track, -1)
    value = np.zeros(n, np.float32)
    reason = np.full(n, Reason.STABLE, np.int8)
    good = scene.quality >= worth.quality
    age_ = np.where(track >= 0, scene.staleness[track], 0) if n_tracks else np.zeros(n)
    for kind, claim in (
        (
            Reason.DUE,
            np.where(good & (age_ >= worth.period), 0.95, 0) if worth.period else np.zeros(n),
        ),
        (Reason.DRIFT, np.where(good, _drift(scene, track, worth), 0)),
        (Reason.SNAPSHOT, np.where(good, _snapshot(scene, track, worth), 0)),
        (Reason.ENROL, np.where(good, _enrolment(scene, track, worth), 0)),
        (Reason.RETURN, _return(scene, case, worth)),
        (Reason.AMBIGUOUS, _ambiguity(scene, case, worth)),
    ):
        more = claim > value
        value[more], reason[more] = claim[more], kind
    stale = np.where(track >= 0, scene.staleness[track], 0) if n_tracks else np.zeros(n, np.int64)
    overdue = scene.eligible & good & (stale >= worth.oldest)
    reason[overdue & (value < price)] = Reason.OLDEST
    value[overdue] = np.maximum(value[overdue], min(price, 1.0))
    reason[~good & (value < price)] = Reason.POOR
    reason[~scene.eligible] = Reason.LOW_SCORE
    wanted = scene.eligible & (value >= price)
    urgent = wanted & np.isin(reason, (Reason.AMBIGUOUS, Reason.RETURN)) | overdue
    first = _in_turn(urgent, overdue, value, stale, scene.frame_index, worth.turns)
    rest = np.flatnonzero(wanted & ~urgent)
    return EmbedPlan(
        critical=first,
        refresh=rest[np.argsort(-value[rest], kind="stable")],
        reuse=np.flatnonzero(~(wanted | urgent)),
        track=track,
        reason=reason,
        worth=value,
        poor=np.flatnonzero(
            ~good
            | ((reason == Reason.AMBIGUOUS) & (case.regret < 0.3) & (worth.remember_doubt == 0))
            | (np.isin(reason, (Reason.AMBIGUOUS, Reason.RETURN)) & (worth.remember_doubt == -1))
        ),
    )


def _ambiguity(scene: PlanInput, case: Stakes, worth: Worth) -> FloatArray:
    """Small regret, where the looks of the two sides differ enough to settle it."""
    out = np.zeros(len(scene), np.float32)
    rows = np.flatnonzero(np.isfinite(case.regret))
    if len(rows):
        looks = np.concatenate((scene.looks, scene.lost_looks))
        known = np.concatenate((scene.known, scene.lost_known))
        own, other = case.track[rows], case.rival[rows]
        knows_own, knows_other = known[own] & (own >= 0), known[other] & (other >= 0)
        alike = np.einsum("nd,nd->n", looks[own], looks[other]) if looks.shape[1] else 0.0
        apart = np.clip((1.0 - alike) / worth.stranger, 0.0, 1.0)
        half = np.where(knows_own | knows_other, worth.half_known, 0.0)
        reach = worth.regret * np.where(knows_own & knows_other, apart, half)
        out[rows] = np.maximum(0.0, 1.0 - case.regret[rows] / np.maximum(reach, 1e-6))
    return out


def _return(scene: PlanInput, case: Stakes, worth: Worth) -> FloatArray:
    """A birth near a lost track that could be recognised, and a lost track found by place."""
    out = np.zeros(len(scene), np.float32)
    out[(case.track < 0) & scene.returns.any(axis=1)] = worth.birth
    found = np.flatnonzero(case.track >= len(scene.track_id))
    lost = case.track[found] - len(scene.track_id)
    doubt = np.minimum(1.0, scene.lost_s[lost] / worth.gap_s)
    out[found] = np.where(scene.lost_known[lost], np.maximum(doubt, worth.gap), 0.0) * worth.birth
    active = np.flatnonzero(
        (case.track >= 0) & (case.track < len(scene.track_id)) & scene.returns.any(axis=1)
    )
    cost = scene.cost[active, case.track[active]]
    out[active] = np.clip((cost - worth.weak) / (1 - worth.weak), 0, 1) ** 0.5 * worth.weak_worth
    return out


def _enrolment(scene: PlanInput, track: IntArray, worth: Worth) -> FloatArray:
    """A confirmed track of which too little is remembered."""
    steps = np.array([*worth.enrol, 0.0], np.float32)
    if not len(scene.track_id):
        return np.zeros(len(track), np.float32)
    need = steps[np.minimum(scene.gallery_count, len(steps) - 1)] * scene.confirmed
    return np.where(track >= 0, need[track], 0.0)


def _snapshot(scene: PlanInput, track: IntArray, worth: Worth) -> FloatArray:
    """A track that will be covered by a nearer one, or leave, and whose embedding is old."""
    if not len(scene.track_id):
        return np.zeros(len(track), np.float32)
    ahead = scene.ahead_xyxy
    size = np.maximum(area(ahead), 1e-6)
    low = np.maximum(ahead[:, None, :2], ahead[None, :, :2])
    high = np.minimum(ahead[:, None, 2:], ahead[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    common[ahead[:, None, 3] >= ahead[None, :, 3]] = 0.0
    soon = common.max(axis=1) / size >= worth.covered
    width, height = scene.frame_wh
    if width:
        centre = (ahead[:, :2] + ahead[:, 2:]) / 2
        soon |= ((centre < 0) | (centre > (width, height))).any(axis=1)
    age = np.minimum(1.0, scene.staleness / worth.stale)
    return np.where(track >= 0, (soon * age * worth.snapshot)[track], 0.0)


def _drift(scene: PlanInput, track: IntArray, worth: Worth) -> FloatArray:
    """A track whose looks have probably changed since they were last seen."""
    if not len(scene.track_id):
        return np.zeros(len(track), np.float32)
    age = np.minimum(1.0, scene.staleness / worth.stale)
    change = np.minimum(1.0, scene.drift * age / worth.drift)
    return np.where(track >= 0, change[track], 0.0)


def _in_turn(
    urgent: BoolArray,
    overdue: BoolArray,
    value: FloatArray,
    stale: IntArray,
    frame_index: int,
    turns: int,
) -> IntArray:
    """Urgent rows by value, but every `turns`-th slot goes to whoever waited longest.

    The turn moves with the frame, so that it comes to a budget of a single crop as well.
    """
    rows = np.flatnonzero(urgent)
    by_value = rows[np.argsort(-value[rows], kind="stable")]
    waiting = np.flatnonzero(overdue)
    if not len(waiting):
        return by_value
    by_age = waiting[np.argsort(-stale[waiting], kind="stable")].tolist()
    out: list[int] = []
    taken = set()
    values = iter(by_value.tolist())
    for place in range(len(rows)):
        source = by_age if (place + frame_index) % turns == 0 else None
        row = next((r for r in source or () if r not in taken), None)
        if row is None:
            row = next(r for r in values if r not in taken)
        taken.add(row)
        out.append(row)
    return np.array(out, np.int64)
