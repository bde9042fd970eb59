"""Suspected switches: one identity ends, and a similar one soon begins, or one in its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mot_dinov3.outputs.report.frames import Column
from mot_dinov3.outputs.report.track_history import TrackHistory
from mot_dinov3.values import FloatArray, boxes

MOST_SUSPECTS = 40
SOON_S = 3.0
"""Seconds after the end of an identity within which its successor must begin."""
LIKE_ITSELF = 10
"""Percentile: nine in ten embeddings of a run are more similar to their own track than `high`."""
USUAL = 0.7
"""Cosine that counts as high in a run with fewer than `FEWEST` embeddings."""
FEWEST = 20
"""Embeddings from which the percentile is used."""
OVERLAP, OVERLAP_S = 0.3, 1.0
"""IoU from which the place alone is suspicious, and seconds after which it says nothing."""
COAST_S = 0.5
"""Seconds for which an object is expected to keep its last speed."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Two identities that may be one.

    Attributes:
        ended: the identity that ended.
        begun: the identity that began.
        ends: row of the frame table of the last box of `ended`.
        begins: row of the first box of `begun`.
        gap_s: seconds between the two rows.
        similarity: cosine of the first embedding of `begun` with the mean of `ended`, None if
            they were not compared.
        overlap: IoU of the first box of `begun` with the expected box of `ended`.
    """

    ended: int
    begun: int
    ends: int
    begins: int
    gap_s: float
    similarity: float | None
    overlap: float


def find_high_similarity(tracks: Iterable[TrackHistory]) -> float:
    """The cosine that counts as high in this run, as embedders differ in their usual range."""
    own = [value for track in tracks for _, value in track.similarity]
    return float(np.percentile(own, LIKE_ITSELF)) if len(own) >= FEWEST else USUAL


def find_suspects(tracks: Sequence[TrackHistory], time_s: Column) -> list[Suspect]:
    """Pairs of confirmed identities of one class, most suspicious first, at most 40.

    Args:
        tracks: the run's identities.
        time_s: (F,) seconds of every row of the frame table.
    """
    confirmed = [track for track in tracks if track.confirmed]
    high = find_high_similarity(confirmed)
    last = len(time_s) - 1
    ended = sorted(
        (track for track in confirmed if track.ends < last), key=lambda track: track.ends
    )
    when = np.array([time_s[track.ends] for track in ended], np.float64)
    found = []
    for new in confirmed:
        born_s = float(time_s[new.begins])
        first = int(np.searchsorted(when, born_s - SOON_S))
        for old in ended[first : int(np.searchsorted(when, born_s))]:
            if old.class_id == new.class_id:
                found.append(_pair(old, new, born_s - float(time_s[old.ends])))
    worth = [pair for pair in found if is_in_place(pair) or (pair.similarity or -1) >= high]
    worth.sort(key=lambda pair: (-rate_suspicion(pair), pair.begins, pair.ended, pair.begun))
    return worth[:MOST_SUSPECTS]


def is_in_place(pair: Suspect) -> bool:
    """Whether the new identity soon begins where the other one would have been."""
    return pair.overlap >= OVERLAP and pair.gap_s <= OVERLAP_S


def rate_suspicion(pair: Suspect) -> float:
    """The higher of similarity and overlap, and a little more for having both."""
    similarity = pair.similarity if pair.similarity is not None else 0.0
    place = pair.overlap if is_in_place(pair) else 0.0
    return max(similarity, place) + 0.1 * min(similarity, place)


def _pair(old: TrackHistory, new: TrackHistory, gap_s: float) -> Suspect:
    gone = old.last_box + old.speed * np.float32(min(gap_s, COAST_S))
    overlap = max(_iou(gone, new.first_box), _iou(old.last_box, new.first_box))
    return Suspect(
        ended=old.track_id,
        begun=new.track_id,
        ends=old.ends,
        begins=new.begins,
        gap_s=gap_s,
        similarity=new.resembles.get(old.track_id),
        overlap=overlap,
    )


def _iou(a: FloatArray, b: FloatArray) -> float:
    return float(boxes.iou(boxes.sides(a[None]), boxes.sides(b[None]))[0])
