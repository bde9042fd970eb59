"""Associate first, then embed what can change the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.scheduling.policies.base import POOR_QUALITY, PlanInput, number_argument
from mot_dinov3.scheduling.policies.order import interleave_oldest, sort_best_first
from mot_dinov3.scheduling.policies.regret import Stakes, label_components, weigh_stakes
from mot_dinov3.values import BoolArray, EmbedPlan, FloatArray, IntArray, Reason
from mot_dinov3.values.boxes import area, find_overlapping, intersection, sides, take_boxes
from mot_dinov3.values.vectors import cosine

PRICE = 0.8
"""Least worth of a crop that is embedded, unless another is asked for."""

FIRST_STAGE = 1.0
"""Pairs that cost less by place are rivals; dearer ones wait for those."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What embeddings are worth, from 0 to 1; the figures were tuned on synthetic worlds.

    Attributes:
        regret: from this difference to the next best assignment on looks can't overrule place,
            even if the two sides look like strangers.
        stranger: cosine distance at which two identities look as different as strangers do.
        half_known: what takes the place of their distance if one side only has a gallery.
        calm: an ambiguity is worth so much less just after its track was embedded.
        calm_frames: how fast that fades.
        afar: cost by place of a track at the very spot where it is expected, where boxes do not
            overlap enough or the track was lost too long.
        spread: by how much of its size a lost track may have gone astray per second.
        surprise: cosine distance from its gallery at which an embedding is somebody else's.
        around: who is within so many sizes of such a track is embedded with it in the next frame.
        alarm: what that is worth.
        enrol: the first, second, ... embedding of a track.
        half_life: frames until a refresh is worth a half.
        drift: mean change of looks that doubles the pace of refreshes.
        snapshot: frames that count on top for a track about to be covered or to leave.
        covered: share of a box that must be about to be covered.
        oldest: frames after which nobody is left waiting.
        turns: every so many slots one belongs to whoever waited longest.
    """

    regret: float = 1.3
    stranger: float = 0.5
    half_known: float = 0.5
    calm: float = 0.1
    calm_frames: float = 3.0
    afar: float = 0.9
    spread: float = 1.0
    surprise: float = 0.5
    around: float = 1.5
    alarm: float = 0.95
    enrol: tuple[float, ...] = (1.0, 0.95, 0.9)
    half_life: float = 12.0
    drift: float = 0.1
    snapshot: float = 12.0
    covered: float = 0.25
    oldest: int = 60
    turns: int = 4


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
    """Decide by what an embedding could change. Pure: no clock, no model, no memory.

    What may change this frame's answer is critical; what prepares later ones is refreshed if
    there is time, and only from crops that a gallery takes: one that it refuses leaves it as
    small as it was, and would be bought again in every frame. Whoever waited for
    `worth.oldest` frames is critical, too, and takes every `worth.turns`-th slot, oldest first.
    So with a budget of at least one crop a frame, a track among T that is seen well in every
    frame is embedded again within `oldest + turns * T` frames.
    """
    cost = np.concatenate(
        (compute_active_cost(scene, worth), compute_return_cost(scene, worth)), axis=1
    )
    case = weigh_stakes(cost, scene.eligible)
    track = find_continued(scene, case.track)
    good = scene.quality >= POOR_QUALITY
    value, reason, stale = _later(scene, track, worth)
    value[~good], reason[~good] = 0.0, Reason.POOR
    urgent = np.zeros(len(scene), np.bool_)
    for why, claim in (
        (Reason.RETURN, _return(scene, case)),
        (Reason.AMBIGUOUS, _ambiguity(scene, case, worth)),
        (Reason.AMBIGUOUS, _alarm(scene, worth)),
    ):
        more = claim > value
        value[more], reason[more], urgent[more] = claim[more], why, True
    _together(cost, scene.eligible, value, reason, urgent)
    overdue = scene.eligible & good & (stale >= worth.oldest)
    wanted = (scene.eligible & (value >= price)) | overdue
    reason[overdue & (value < price)] = Reason.OLDEST
    reason[~scene.eligible] = Reason.LOW_SCORE
    critical = wanted & (urgent | overdue)
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


def _together(
    cost: FloatArray,
    eligible: BoolArray,
    value: FloatArray,
    reason: NDArray[np.int8],
    urgent: BoolArray,
) -> None:
    """Raise everybody in a component to its most urgent member, in place.

    Association weighs looks against looks: with the evidence of one side alone, the other side
    would have its pick by place first.
    """
    if not urgent.any() or not cost.size:
        return
    component = label_components((cost < FIRST_STAGE) & eligible[:, None])
    most = np.zeros(len(value), np.float32)
    np.maximum.at(most, component[urgent], value[urgent])
    more = eligible & (most[component] > value)
    value[more] = most[component][more]
    reason[more], urgent[more] = Reason.AMBIGUOUS, True


def find_continued(scene: PlanInput, assigned: IntArray) -> IntArray:
    """(N,) the active track that place gives to each detection, -1 for none."""
    rows = np.flatnonzero((assigned >= 0) & (assigned < len(scene.track_id)))
    rows = rows[np.isfinite(scene.cost[rows, assigned[rows]])]
    out = np.full(len(assigned), -1)
    out[rows] = assigned[rows]
    return out


def compute_active_cost(scene: PlanInput, worth: Worth) -> FloatArray:
    """(N, T) cost of active tracks by place or, for whoever has no place, by distance."""
    astray = np.flatnonzero(scene.eligible & ~(scene.cost < FIRST_STAGE).any(axis=1))
    if not len(astray) or not len(scene.track_id):
        return scene.cost
    far = worth.afar + distance(scene.xyxy[astray], scene.track_xyxy, 1.0)
    out = scene.cost.copy()
    out[astray] = np.minimum(out[astray], np.where(scene.known, far, np.inf))
    return out


def distance(seen: FloatArray, past: FloatArray, reach: FloatArray | float) -> FloatArray:
    """(N, T) how far the middle of each box is off, in sizes of the tracks' boxes times `reach`."""
    off_x = (seen[:, 0] + seen[:, 2])[:, None] - (past[:, 0] + past[:, 2])
    off_y = (seen[:, 1] + seen[:, 3])[:, None] - (past[:, 1] + past[:, 3])
    size = np.sqrt(np.maximum(area(past), 1.0)) * reach
    out: FloatArray = 0.5 * np.sqrt(off_x * off_x + off_y * off_y) / size
    return out


def compute_return_cost(scene: PlanInput, worth: Worth) -> FloatArray:
    """(N, L) cost of lost tracks by place or, out of its reach, by distance from where they are."""
    reach = 1 + worth.spread * scene.lost_s
    far = worth.afar + distance(scene.xyxy, scene.lost_xyxy, reach)
    far = np.where(scene.returns, far, np.inf)
    out: FloatArray = np.minimum(scene.lost_cost, far).astype(np.float32, copy=False)
    return out


def _ambiguity(scene: PlanInput, case: Stakes, worth: Worth) -> FloatArray:
    """(N,) how small the regret is, against what the looks of both sides could weigh."""
    out = np.zeros(len(scene), np.float32)
    rows = np.flatnonzero(case.regret < worth.regret)
    if not len(rows):
        return out
    own, rival = case.track[rows], case.rival[rows]
    known = np.concatenate((scene.known, scene.lost_known))
    knows_own, knows_rival = known[own] & (own >= 0), known[rival]
    alike = cosine(_looks(scene, own), _looks(scene, rival))
    apart = np.clip((1.0 - alike) / worth.stranger, 0.0, 1.0)
    half = np.where(knows_own | knows_rival, worth.half_known, 0.0)
    reach = worth.regret * np.where(knows_own & knows_rival & (own != rival), apart, half)
    unsure = 1.0 - case.regret[rows] / np.maximum(reach, 1e-6)
    active = (own >= 0) & (own < len(scene.track_id))
    age = scene.staleness[own[active]]
    unsure[active] -= worth.calm * np.exp((1 - age) / worth.calm_frames) * knows_own[active]
    out[rows] = np.maximum(0.0, unsure)
    return out


def _looks(scene: PlanInput, tracks: IntArray) -> FloatArray:
    """(M, D) looks of `tracks` (M,), the active ones counted before the lost; any row for -1."""
    if not len(scene.lost_id):
        return scene.looks[tracks]
    out = scene.lost_looks[np.maximum(tracks - len(scene.track_id), 0)]
    active = tracks < len(scene.track_id)
    if len(scene.track_id):
        out[active] = scene.looks[tracks[active]]
    return out


def _alarm(scene: PlanInput, worth: Worth) -> FloatArray:
    """(N,) near a track whose last embedding, just taken, looked like somebody else's."""
    out = np.zeros(len(scene), np.float32)
    hot = np.flatnonzero((scene.surprise >= worth.surprise) & (scene.staleness <= 1))
    if len(hot) and len(scene):
        near = distance(scene.xyxy, scene.track_xyxy[hot], worth.around).min(axis=1) <= 1.0
        out[near] = worth.alarm
    return out


def _return(scene: PlanInput, case: Stakes) -> FloatArray:
    """(N,) 1 for who may be a lost track seen again, or one that jumped, else 0."""
    n_tracks = len(scene.track_id)
    out = (case.track < 0) & scene.returns.any(axis=1)
    rows = np.flatnonzero((case.track >= 0) & (case.track < n_tracks))
    out[rows] = np.isinf(scene.cost[rows, case.track[rows]])
    found = np.flatnonzero(case.track >= n_tracks)
    out[found] = scene.lost_known[case.track[found] - n_tracks]
    return out.astype(np.float32)


def _later(
    scene: PlanInput, track: IntArray, worth: Worth
) -> tuple[FloatArray, NDArray[np.int8], IntArray]:
    """What an embedding prepares: worth, reason and staleness of each detection's track."""
    n = len(track)
    if not len(scene.track_id):
        return np.zeros(n, np.float32), np.full(n, Reason.STABLE, np.int8), np.zeros(n, np.int64)
    soon = _about_to_vanish(scene, worth)
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


def _about_to_vanish(scene: PlanInput, worth: Worth) -> BoolArray:
    """(T,) who will soon be covered by a nearer one or be out of the picture."""
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
