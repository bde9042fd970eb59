"""Associate first, then embed what can change the answer.

Place alone is asked which track each detection continues (`regret`). An embedding is worth much

- at once, where the answer may be wrong: two assignments cost nearly the same, a detection may be
  a lost track, or an embedding just taken looked like another object's;
- later, where the gallery of a track needs one: it has few, they are old, or the object is about
  to be covered.

What is worth the price is embedded: the former as critical work, the latter as refreshes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.base import POOR_QUALITY, Argument, PlanInput, Policy
from mot_dinov3.scheduling.policies.order import interleave_oldest, sort_best_first
from mot_dinov3.scheduling.policies.regret import Stakes, label_components, weigh_stakes
from mot_dinov3.scheduling.policies.worth import Worth
from mot_dinov3.tracking.association.base import FIRST_STAGE
from mot_dinov3.values import BoolArray, EmbedPlan, FloatArray, IntArray, Reason
from mot_dinov3.values.boxes import area, find_overlapping, intersection, sides, take_boxes
from mot_dinov3.values.vectors import cosine


class ValuePolicy(Policy):
    """`value:PRICE` embeds what is worth at least its price, from 0 (all) to 1 (the best only)."""

    argument = Argument(
        "PRICE", default=0.8, least=0, low=0.3, high=1.0, compared=(0.5, 0.7, 0.8, 0.9)
    )

    def __init__(self, config: SchedulerConfig, argument: str = "") -> None:
        """Build it.

        Raises:
            UsageError: the price is not a number from 0.
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

    What may change this frame's answer is critical; what prepares later ones is refreshed if
    there is time, and only from crops that a gallery takes: one that it refuses leaves it as
    small as it was, and would be bought again in every frame. A track that waited for
    `worth.oldest` frames is critical, too, and takes every `worth.turns`-th slot, oldest first.
    So with a budget of at least one crop a frame, a track among T that is seen well in every
    frame is embedded again within `oldest + turns * T` frames.

    Args:
        scene: the frame as policies see it.
        price: least worth of a crop that is embedded.
        worth: the figures.
    """
    cost = np.concatenate(
        (compute_active_cost(scene, worth), compute_return_cost(scene, worth)), axis=1
    )
    stakes = weigh_stakes(cost, scene.eligible)
    track = find_continued(scene, stakes.track)
    good = scene.quality >= POOR_QUALITY
    value, reason, stale = _rate_galleries(scene, track, worth)
    value[~good], reason[~good] = 0.0, Reason.POOR
    claims = Claims(value, reason, np.zeros(len(scene), np.bool_))
    claims.raise_to(_rate_returns(scene, stakes), Reason.RETURN)
    claims.raise_to(_rate_ambiguity(scene, stakes, worth), Reason.AMBIGUOUS)
    claims.raise_to(_rate_alarm(scene, worth), Reason.AMBIGUOUS)
    _raise_rivals(cost, scene.eligible, claims)

    overdue = scene.eligible & good & (stale >= worth.oldest)
    wanted = (scene.eligible & (value >= price)) | overdue
    reason[overdue & (value < price)] = Reason.OLDEST
    reason[~scene.eligible] = Reason.LOW_SCORE
    critical = wanted & (claims.urgent | overdue)
    return EmbedPlan(
        critical=interleave_oldest(
            sort_best_first(critical, value),
            sort_best_first(overdue, stale),
            worth.turns,
            scene.frame_index % worth.turns,
        ),
        refresh=sort_best_first(wanted & ~critical, value),
        reuse=np.flatnonzero(~wanted),
        track=track,
        reason=reason,
        worth=value,
    )


def _raise_rivals(cost: FloatArray, eligible: BoolArray, claims: Claims) -> None:
    """Raise every detection to the most urgent one that it shares possible tracks with.

    Association weighs appearance against appearance: with the evidence of one side alone, the
    other side would have its pick by place first.

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


def find_continued(scene: PlanInput, assigned: IntArray) -> IntArray:
    """(N,) the active track that place gives to each detection, -1 for none.

    Args:
        scene: the frame as policies see it.
        assigned: (N,) the track of the best assignment, active ones counted before lost ones. One
            that was found by distance and not by place is no continuation.
    """
    rows = np.flatnonzero((assigned >= 0) & (assigned < len(scene.track_id)))
    rows = rows[np.isfinite(scene.cost[rows, assigned[rows]])]
    out = np.full(len(assigned), -1)
    out[rows] = assigned[rows]
    return out


def compute_active_cost(scene: PlanInput, worth: Worth) -> FloatArray:
    """(N, T) cost of active tracks by place or, for a detection without a place, by distance."""
    astray = np.flatnonzero(scene.eligible & ~(scene.cost < FIRST_STAGE).any(axis=1))
    if not len(astray) or not len(scene.track_id):
        return scene.cost
    far = worth.afar + measure_distance(scene.xyxy[astray], scene.track_xyxy, 1.0)
    out = scene.cost.copy()
    out[astray] = np.minimum(out[astray], np.where(scene.known, far, np.inf))
    return out


def compute_return_cost(scene: PlanInput, worth: Worth) -> FloatArray:
    """(N, L) cost of lost tracks by place or, out of its reach, by distance from where they are."""
    reach = 1 + worth.spread * scene.lost_s
    far = worth.afar + measure_distance(scene.xyxy, scene.lost_xyxy, reach)
    far = np.where(scene.returns, far, np.inf)
    return np.asarray(np.minimum(scene.lost_cost, far), np.float32)


def measure_distance(seen: FloatArray, past: FloatArray, reach: FloatArray | float) -> FloatArray:
    """(N, T) how far the middle of each box is off, in sizes of the tracks' boxes times `reach`.

    Args:
        seen: (N, 4) boxes of detections.
        past: (T, 4) boxes of tracks; the size of one is the root of its area.
        reach: a factor of that size, one for all or (T,).
    """
    off_x = (seen[:, 0] + seen[:, 2])[:, None] - (past[:, 0] + past[:, 2])
    off_y = (seen[:, 1] + seen[:, 3])[:, None] - (past[:, 1] + past[:, 3])
    size = np.sqrt(np.maximum(area(past), 1.0)) * reach
    return np.asarray(0.5 * np.sqrt(off_x * off_x + off_y * off_y) / size, np.float32)


def _rate_ambiguity(scene: PlanInput, stakes: Stakes, worth: Worth) -> FloatArray:
    """(N,) how small the regret is, against what the appearance of both sides could weigh.

    If the own track and the rival look like strangers, appearance overrules place up to a regret
    of `worth.regret`; the more they look alike, the less it can overrule.
    """
    out = np.zeros(len(scene), np.float32)
    rows = np.flatnonzero(stakes.regret < worth.regret)
    if not len(rows):
        return out
    own, rival = stakes.track[rows], stakes.rival[rows]
    known = np.concatenate((scene.known, scene.lost_known))
    knows_own, knows_rival = known[own] & (own >= 0), known[rival]
    similarity = cosine(_take_appearance(scene, own), _take_appearance(scene, rival))
    apart = np.clip((1.0 - similarity) / worth.stranger, 0.0, 1.0)
    half = np.where(knows_own | knows_rival, worth.half_known, 0.0)
    reach = worth.regret * np.where(knows_own & knows_rival & (own != rival), apart, half)
    unsure = 1.0 - stakes.regret[rows] / np.maximum(reach, 1e-6)
    active = (own >= 0) & (own < len(scene.track_id))
    age = scene.staleness[own[active]]
    unsure[active] -= worth.calm * np.exp((1 - age) / worth.calm_frames) * knows_own[active]
    out[rows] = np.maximum(0.0, unsure)
    return out


def _take_appearance(scene: PlanInput, tracks: IntArray) -> FloatArray:
    """(M, D) of `tracks` (M,), active ones counted before lost ones; any row for -1."""
    if not len(scene.lost_id):
        return scene.appearance[tracks]
    out = scene.lost_appearance[np.maximum(tracks - len(scene.track_id), 0)]
    active = tracks < len(scene.track_id)
    if len(scene.track_id):
        out[active] = scene.appearance[tracks[active]]
    return out


def _rate_alarm(scene: PlanInput, worth: Worth) -> FloatArray:
    """(N,) near a track whose last embedding, just taken, looked like another object's."""
    out = np.zeros(len(scene), np.float32)
    hot = np.flatnonzero((scene.surprise >= worth.surprise) & (scene.staleness <= 1))
    if len(hot) and len(scene):
        off = measure_distance(scene.xyxy, scene.track_xyxy[hot], worth.around)
        out[off.min(axis=1) <= 1.0] = worth.alarm
    return out


def _rate_returns(scene: PlanInput, stakes: Stakes) -> FloatArray:
    """(N,) 1 where a detection may be a lost track seen again, or one that jumped, else 0."""
    n_tracks = len(scene.track_id)
    out = (stakes.track < 0) & scene.returns.any(axis=1)
    rows = np.flatnonzero((stakes.track >= 0) & (stakes.track < n_tracks))
    out[rows] = np.isinf(scene.cost[rows, stakes.track[rows]])
    found = np.flatnonzero(stakes.track >= n_tracks)
    out[found] = scene.lost_known[stakes.track[found] - n_tracks]
    return out.astype(np.float32)


def _rate_galleries(
    scene: PlanInput, track: IntArray, worth: Worth
) -> tuple[FloatArray, NDArray[np.int8], IntArray]:
    """What an embedding is worth to the gallery of the track that a detection continues.

    Args:
        scene: the frame as policies see it.
        track: (N,) the continued track, -1 for none.
        worth: the figures.

    Returns:
        (N,) the worth, (N,) a `Reason` and (N,) the frames since the track's last embedding.
    """
    n = len(track)
    if not len(scene.track_id):
        return np.zeros(n, np.float32), np.full(n, Reason.STABLE, np.int8), np.zeros(n, np.int64)
    soon = _find_vanishing(scene, worth)
    pace = 1.0 + scene.drift / worth.drift
    age = scene.staleness * pace
    refresh = np.where(soon, age + worth.snapshot, age)
    refresh = np.where(scene.known, refresh / (refresh + worth.half_life), 0.0)
    steps = np.array([*worth.enrol, 0.0], np.float32)
    enrol = steps[np.minimum(scene.gallery_count, len(steps) - 1)] * scene.confirmed
    value = np.maximum(enrol, refresh)
    reason = np.where(soon, Reason.SNAPSHOT, Reason.DRIFT)
    reason[enrol >= refresh] = Reason.ENROL
    mine = track >= 0
    return (
        np.where(mine, value[track], 0.0).astype(np.float32),
        np.where(mine, reason[track], Reason.STABLE).astype(np.int8),
        np.where(mine, scene.staleness[track], 0),
    )


def _find_vanishing(scene: PlanInput, worth: Worth) -> BoolArray:
    """(T,) tracks that will soon be covered by a nearer one or be out of the picture.

    The camera is above the ground, so the lower of two objects in the picture is the nearer one.
    """
    ahead = sides(scene.ahead_xyxy)
    i, j = find_overlapping(ahead, ahead)
    lower = (ahead[3, i] < ahead[3, j]).nonzero()[0]
    behind, nearer = i[lower], j[lower]
    width, height = ahead[2:] - ahead[:2]
    across, down = intersection(take_boxes(ahead, behind), take_boxes(ahead, nearer))
    hidden = across * down >= worth.covered * np.maximum(width * height, 1e-6)[behind]
    soon = np.zeros(len(scene.track_id), np.bool_)
    soon[behind[hidden]] = True
    if scene.frame_wh[0]:
        x, y = middle = (ahead[:2] + ahead[2:]) / 2
        soon |= (middle < 0).any(axis=0) | (x > scene.frame_wh[0]) | (y > scene.frame_wh[1])
    return soon
