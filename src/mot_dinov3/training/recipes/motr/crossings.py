"""Where two objects hide one another, and whether each still has its identity afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values import FloatArray
from mot_dinov3.values.boxes import iou, iou_matrix, sides

MEET_IOU, APART_IOU = 0.3, 0.1
"""Overlap of two objects that meet, and of two that are apart."""
FOUND_IOU = 0.5
PATIENCE = 5
"""Frames after a crossing in which both have to be found again."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two objects that meet.

    Attributes:
        pair: their identities.
        before: last frame in which they are apart.
        closest: frame in which they overlap most.
        after: first frame in which they are apart again.
    """

    pair: tuple[int, int]
    before: int
    closest: int
    after: int


def find_crossings(truth: MotTable, frames: int) -> list[Crossing]:
    """The crossings of a sequence, in order of the frame in which they are closest."""
    identities = np.unique(truth.track_id)
    boxes: FloatArray = np.full((frames, len(identities), 4), np.nan, np.float32)
    boxes[truth.frame_index, np.searchsorted(identities, truth.track_id)] = truth.xyxy
    found = []
    for one, two in _list_near(boxes):
        pair = int(identities[one]), int(identities[two])
        overlap = _overlap(boxes[:, one], boxes[:, two])
        found += [Crossing(pair, *moments) for moments in _list_meetings(overlap)]
    return sorted(found, key=lambda item: item.closest)


def _list_near(boxes: FloatArray) -> list[tuple[int, int]]:
    """The pairs that are not apart in some frame, in order; boxes (F, N, 4), NaN where absent."""
    near: set[tuple[int, int]] = set()
    for each in boxes:
        here = np.flatnonzero(~np.isnan(each[:, 0]))
        pairs = np.nonzero(np.triu(iou_matrix(each[here], each[here]) >= APART_IOU, 1))
        near.update(zip(*(here[one].tolist() for one in pairs), strict=True))
    return sorted(near)


def _overlap(one: FloatArray, two: FloatArray) -> FloatArray:
    """(F,) overlap of two objects, 0 where one is absent."""
    return np.nan_to_num(iou(sides(one), sides(two)))


def _list_meetings(overlap: FloatArray) -> Iterator[tuple[int, int, int]]:
    """Last frame apart, closest frame and first frame apart again, of each meeting."""
    apart = np.flatnonzero(overlap < APART_IOU)
    for before, after in zip(apart[:-1].tolist(), apart[1:].tolist(), strict=True):
        closest = before + int(overlap[before : after + 1].argmax())
        if overlap[closest] >= MEET_IOU:
            yield before, closest, after


def count_kept(crossings: Sequence[Crossing], truth: MotTable, result: MotTable) -> tuple[int, int]:
    """How many crossings both objects came out of with their identities, and how many count.

    A crossing counts where both were tracked before it.
    """
    kept = counted = 0
    for crossing in crossings:
        before = find_tracks(crossing.pair, truth, result, crossing.before)
        if min(before) < 0 or before[0] == before[1]:
            continue
        counted += 1
        later = range(crossing.after, crossing.after + PATIENCE)
        after = [find_tracks(crossing.pair, truth, result, frame) for frame in later]
        kept += before == next((one for one in after if min(one) >= 0), None)
    return kept, counted


def find_tracks(
    pair: tuple[int, int], truth: MotTable, result: MotTable, frame: int
) -> tuple[int, int]:
    """The tracks that two objects have in a frame, -1 for none."""
    true, said = truth.rows_of(frame), result.rows_of(frame)
    overlap = iou_matrix(truth.xyxy[true], result.xyxy[said])
    found = []
    for identity in pair:
        rows = np.flatnonzero(truth.track_id[true] == identity)
        best = overlap[rows[0]] if len(rows) else np.empty(0)
        good = len(best) > 0 and best.max() >= FOUND_IOU
        found.append(int(result.track_id[said][best.argmax()]) if good else -1)
    return found[0], found[1]
