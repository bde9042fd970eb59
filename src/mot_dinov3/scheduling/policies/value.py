"""Associate first, then embed what can change the answer.

Place alone is asked which track each detection continues (`regret`). An embedding is worth much

- at once, where the answer may be wrong: two assignments cost nearly the same, a detection may be
  a lost track, or an embedding just taken looked like another object's;
- later, where the gallery of a track needs one (`galleries`): it has few, they are old, or the
  object is about to be covered.

What is worth the price is embedded: the former as critical work, the latter as refreshes, but for
the first embedding of a confirmed track, which is critical.

Numbers of tracks are columns of the cost by place: the T active ones first, then the L lost ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.base import POOR_QUALITY, Argument, PlanInput, Policy
from mot_dinov3.scheduling.policies.galleries import find_first, rate_galleries
from mot_dinov3.scheduling.policies.order import (
    count_turns,
    interleave_oldest,
    sort_best_first,
    take_oldest,
)
from mot_dinov3.scheduling.policies.regret import Stakes, label_components, weigh_stakes
from mot_dinov3.scheduling.policies.worth import Worth
from mot_dinov3.tracking.association.base import FIRST_STAGE
from mot_dinov3.values import BoolArray, EmbedPlan, FloatArray, IntArray, Reason
from mot_dinov3.values.boxes import area
from mot_dinov3.values.vectors import cosine


class ValuePolicy(Policy):
    """`value:PRICE` embeds what is worth at least its price, from 0 (all) to 1 (the best only)."""

    argument = Argument(
        "PRICE", default=0.7, least=0, low=0.3, high=1.0, compared=(0.5, 0.7, 0.8, 0.9), most=1
    )

    def __init__(self, config: SchedulerConfig, argument: str = "") -> None:
        """Build it.

        Raises:
            UsageError: the price is not a number from 0 to 1.
        """
        self.price = self.argument.read("value", argument)
        self.worth = Worth()

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """See `plan_by_value`."""
        return plan_by_value(scene, self.price, self.worth)


@dataclass(slots=True)
class Claims:
    """What embeddings of N detections are worth, while the reasons for them are collected.

    Attributes:
        value: (N,) float32 the worth of the best reason so far, 0 to 1.
        reason: (N,) int8 that reason, a `Reason`.
        urgent: (N,) bool, it may change the answer of this frame.
    """

    value: FloatArray
    reason: NDArray[np.int8]
    urgent: BoolArray

    def raise_to(self, value: FloatArray, reason: Reason) -> None:
        """Take an urgent reason wherever its `value` (N,) is above the worth so far."""
        more = value > self.value
        self.value[more], self.reason[more], self.urgent[more] = value[more], reason, True


def plan_by_value(scene: PlanInput, price: float, worth: Worth) -> EmbedPlan:
    """Decide by what an embedding could change. Pure: no clock, no model, no memory.

    What may change this frame's answer is critical, and so is the first embedding of a confirmed
    track; what prepares later ones is refreshed if there is time. Both come only from crops that
    a gallery takes: one that it refuses leaves it as small as it was, and would be bought again in
    every frame. The track that waited longest, for `worth.oldest` frames or more, is critical,
    too, and takes every `worth.turns`-th slot; where there are more than `worth.oldest` tracks, as
    many of them as keep the pace. The others that waited so long are refreshes until it is their
    turn, so that tracks of one age are not embedded in one frame. With a budget of at least one
    crop a frame, a track among T that is seen well in every frame is embedded again within
    `oldest + turns * T` frames.

    Args:
        scene: the frame as policies see it.
        price: least worth of a crop that is embedded, from 0 to 1.
        worth: what embeddings are worth.
    """
    cost = np.concatenate(
        (compute_active_cost(scene, worth), compute_return_cost(scene, worth)), axis=1
    )
    stakes = weigh_stakes(cost, scene.eligible)
    track = find_continued(scene, stakes.track)
    good = scene.quality >= POOR_QUALITY

    value, reason, staleness = rate_galleries(scene, track, worth)
    value[~good], reason[~good] = 0.0, Reason.POOR
    claims = Claims(value, reason, np.zeros(len(scene), np.bool_))
    claims.raise_to(_rate_returns(scene, stakes), Reason.RETURN)
    claims.raise_to(_rate_ambiguity(scene, stakes, worth), Reason.AMBIGUOUS)
    claims.raise_to(_rate_alarm(scene, worth), Reason.AMBIGUOUS)
    _raise_rivals(cost, scene.eligible, claims)  # the last one, as it spreads all urgent claims

    overdue = scene.eligible & good & (staleness >= worth.oldest)
    wanted = (scene.eligible & (claims.value >= price)) | overdue
    claims.reason[overdue & (claims.value < price)] = Reason.OLDEST
    claims.reason[~scene.eligible] = Reason.LOW_SCORE
    due = take_oldest(overdue, staleness, count_turns(len(scene.track_id), worth.oldest))
    critical = wanted & (claims.urgent | (good & find_first(scene, track)))
    critical[due] = True
    return EmbedPlan(
        critical=interleave_oldest(
            sort_best_first(critical, claims.value),
            due,
            worth.turns,
            scene.frame_index % worth.turns,
        ),
        refresh=sort_best_first(wanted & ~critical, claims.value),
        reuse=np.flatnonzero(~wanted),
        track=track,
        reason=claims.reason,
        worth=claims.value,
    )


def compute_active_cost(scene: PlanInput, worth: Worth) -> FloatArray:
    """(N, T) cost of active tracks by place, or by distance for a detection that went astray.

    A detection went astray if the first stage of association would give it no active track.
    """
    astray = np.flatnonzero(scene.eligible & ~(scene.cost < FIRST_STAGE).any(axis=1))
    if not len(astray) or not len(scene.track_id):
        return scene.cost
    far = worth.afar + measure_distance(scene.xyxy[astray], scene.track_xyxy, 1.0)
    out = scene.cost.copy()
    out[astray] = np.minimum(out[astray], np.where(scene.known, far, np.inf))
    return out


def compute_return_cost(scene: PlanInput, worth: Worth) -> FloatArray:
    """(N, L) cost of lost tracks by place or, if lower, by distance from where they should be."""
    reach = 1 + worth.spread * scene.lost_s
    far = worth.afar + measure_distance(scene.xyxy, scene.lost_xyxy, reach)
    far = np.where(scene.returns, far, np.inf)
    return np.asarray(np.minimum(scene.lost_cost, far), np.float32)


def measure_distance(seen: FloatArray, past: FloatArray, reach: FloatArray | float) -> FloatArray:
    """(N, T) distance between the middles of boxes; 1 is the size of the track's box times `reach`.

    Args:
        seen: (N, 4) boxes of detections.
        past: (T, 4) boxes of tracks; the size of one is the root of its area.
        reach: a factor of that size, one for all or (T,).
    """
    off_x = (seen[:, 0] + seen[:, 2])[:, None] - (past[:, 0] + past[:, 2])
    off_y = (seen[:, 1] + seen[:, 3])[:, None] - (past[:, 1] + past[:, 3])
    size = np.sqrt(np.maximum(area(past), 1.0)) * reach
    return np.asarray(0.5 * np.sqrt(off_x * off_x + off_y * off_y) / size, np.float32)


def find_continued(scene: PlanInput, assigned: IntArray) -> IntArray:
    """(N,) the active track that place gives to each detection, -1 for none.

    Args:
        scene: the frame as policies see it.
        assigned: (N,) the track of the best assignment, lost ones included. One that place
            refuses was found by its distance, and is not a continuation.
    """
    rows = np.flatnonzero((assigned >= 0) & (assigned < len(scene.track_id)))
    rows = rows[np.isfinite(scene.cost[rows, assigned[rows]])]
    out = np.full(len(assigned), -1)
    out[rows] = assigned[rows]
    return out


def _rate_returns(scene: PlanInput, stakes: Stakes) -> FloatArray:
    """(N,) 1 where a detection may be a lost track seen again, or one that jumped, else 0.

    There are three such detections: without any track, but allowed to return as a lost one; with
    an active track that place refuses, so that it must have jumped; and with a lost track that
    has a gallery to compare with. The first two must be confident enough to start a track: most
    of the others are background, would be bought again in every frame, and end without a track.
    """
    n_active, track = len(scene.track_id), stakes.track
    out = (track < 0) & scene.returns.any(axis=1)
    rows = np.flatnonzero((track >= 0) & (track < n_active))
    out[rows] = np.isinf(scene.cost[rows, track[rows]])
    out &= scene.fertile
    rows = np.flatnonzero(track >= n_active)
    out[rows] = scene.lost_known[track[rows] - n_active]
    return out.astype(np.float32)


def _rate_ambiguity(scene: PlanInput, stakes: Stakes, worth: Worth) -> FloatArray:
    """(N,) how small the regret is, against what the appearance of both sides could weigh.

    If the own track and the rival look like strangers, appearance overrules place up to a regret
    of `worth.regret`; the more they look alike, the less it can overrule. Where one gallery alone
    can be asked, as one side has none or both are the same track, it is `worth.half_known` of it.
    """
    out = np.zeros(len(scene), np.float32)
    rows = np.flatnonzero(stakes.regret < worth.regret)
    if not len(rows):
        return out
    # A rival is a track here, as the regret is finite; the own track may be -1.
    own, rival = stakes.track[rows], stakes.rival[rows]
    known = np.concatenate((scene.known, scene.lost_known))
    knows_own, knows_rival = known[own] & (own >= 0), known[rival]
    similarity = cosine(_take_appearance(scene, own), _take_appearance(scene, rival))
    apart = np.clip((1.0 - similarity) / worth.stranger, 0.0, 1.0)
    half = np.where(knows_own | knows_rival, worth.half_known, 0.0)
    reach = worth.regret * np.where(knows_own & knows_rival & (own != rival), apart, half)
    unsure = 1.0 - stakes.regret[rows] / np.maximum(reach, 1e-6)
    # An active track that was embedded a moment ago has just been told from its rival.
    active = (own >= 0) & (own < len(scene.track_id))
    age = scene.staleness[own[active]]
    unsure[active] -= worth.calm * np.exp((1 - age) / worth.calm_frames) * knows_own[active]
    out[rows] = np.maximum(0.0, unsure)
    return out


def _take_appearance(scene: PlanInput, tracks: IntArray) -> FloatArray:
    """(M, D) mean embeddings of `tracks` (M,), active or lost; any one for -1."""
    if not len(scene.lost_id):
        return scene.appearance[tracks]
    out = scene.lost_appearance[np.maximum(tracks - len(scene.track_id), 0)]
    active = tracks < len(scene.track_id)
    if len(scene.track_id):
        out[active] = scene.appearance[tracks[active]]
    return out


def _rate_alarm(scene: PlanInput, worth: Worth) -> FloatArray:
    """(N,) `worth.alarm` near a track that may just have been mixed up with another, else 0.

    Its embedding of the last frame looked like another object's.
    """
    out = np.zeros(len(scene), np.float32)
    alarmed = np.flatnonzero((scene.surprise >= worth.surprise) & (scene.staleness <= 1))
    if len(alarmed) and len(scene):
        distance = measure_distance(scene.xyxy, scene.track_xyxy[alarmed], worth.around)
        out[distance.min(axis=1) <= 1.0] = worth.alarm
    return out


def _raise_rivals(cost: FloatArray, eligible: BoolArray, claims: Claims) -> None:
    """Raise every detection to the most urgent one that it competes with for a track.

    Association weighs appearance against appearance: with the evidence of one side alone, the
    other side would have its pick by place first. Detections compete if they are connected
    through pairs that the first stage of association may make.

    Args:
        cost: (N, T + L) by place.
        eligible: (N,) detections that take part.
        claims: what is raised.
    """
    value, urgent = claims.value, claims.urgent
    if not urgent.any() or not cost.size:
        return
    component = label_components((cost < FIRST_STAGE) & eligible[:, None])
    most = np.zeros(len(value), np.float32)
    np.maximum.at(most, component[urgent], value[urgent])
    claims.raise_to(np.where(eligible, most[component], np.float32(0)), Reason.AMBIGUOUS)
