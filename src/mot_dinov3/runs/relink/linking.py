"""Which tracklet continues which: gates of time, place and class, then one assignment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mot_dinov3.config.tracking.relink import RelinkConfig
from mot_dinov3.runs.relink.reciprocal import gallery_similarity
from mot_dinov3.runs.relink.tracklets import Tracklet
from mot_dinov3.tracking.assignment import hungarian
from mot_dinov3.values import NO_ROWS, FloatArray, IntArray
from mot_dinov3.values.run_facts import TrackMerge

SLACK = 1.0
"""Box sizes that two boxes may be apart however short the gap is, as boxes are often cut off."""

MAX_SCALE = 2.0
"""A box may grow or shrink by no more than this factor."""

LEAVE_COST = 1e-3
"""How much more it costs to leave two tracklets apart than to merge them at least similarity."""


def find_merges(tracklets: Sequence[Tracklet], config: RelinkConfig) -> list[TrackMerge]:
    """The tracklets to merge, in order of the time at which they begin.

    A tracklet continues one other at most, and is continued by one at most. It begins after the
    end of the one that it continues, so no two of a chain are there at the same time.

    Args:
        tracklets: all tracks of a run; those that may not be merged count as neighbours.
        config: least similarity, longest gap, highest speed.
    """
    rows, columns = find_candidates(tracklets, config)
    similarity = gallery_similarity([item.vectors for item in tracklets], rows, columns)
    kept = np.flatnonzero(similarity >= config.similarity)
    rows, columns, similarity = rows[kept], columns[kept], similarity[kept]
    chosen = hungarian(rows, columns, config.similarity - similarity, LEAVE_COST)
    begins_s = [tracklets[column].first.time_s for column in columns.tolist()]
    root: dict[int, int] = {}
    out = []
    for pair in sorted(chosen.tolist(), key=lambda pair: begins_s[pair]):
        before, after = tracklets[int(rows[pair])], tracklets[int(columns[pair])]
        root[after.id] = root.get(before.id, before.id)
        alike = round(float(similarity[pair]), 4)
        gap_s = round(after.first.time_s - before.last.time_s, 3)
        out.append(TrackMerge(after.id, root[after.id], before.id, alike, gap_s))
    return out


def find_candidates(
    tracklets: Sequence[Tracklet], config: RelinkConfig
) -> tuple[IntArray, IntArray]:
    """Pairs of tracklets of which the second may continue the first.

    The second begins after the end of the first, by `gap_s` at most; both are of one class and
    have embeddings; the boxes are of similar size, and no farther apart than `speed` allows.

    Args:
        tracklets: all tracks of a run.
        config: longest gap, highest speed.

    Returns:
        (K,) row of the first and (K,) row of the second tracklet of each pair.
    """
    if not tracklets:
        return NO_ROWS, NO_ROWS
    ends, begins = _describe_ends(tracklets, last=True), _describe_ends(tracklets, last=False)
    class_id = np.array([item.class_id for item in tracklets])
    known = np.array([len(item.vectors) > 0 for item in tracklets])
    rows, columns = [], []
    for i in np.flatnonzero(known).tolist():
        time_s, x, y, size = ends[i]
        gap_s = begins[:, 0] - time_s
        fits = known & (class_id == class_id[i]) & (gap_s > 0) & (gap_s <= config.gap_s)
        mean = (size + begins[:, 3]) / 2
        apart = np.hypot(begins[:, 1] - x, begins[:, 2] - y) / mean
        fits &= apart <= SLACK + config.speed * gap_s
        fits &= np.abs(np.log(begins[:, 3] / size)) <= np.log(MAX_SCALE)
        found = np.flatnonzero(fits)
        rows.append(np.full(len(found), i, np.int64))
        columns.append(found)
    return np.concatenate([NO_ROWS, *rows]), np.concatenate([NO_ROWS, *columns])


def _describe_ends(tracklets: Sequence[Tracklet], *, last: bool) -> FloatArray:
    """(T, 4) time in seconds, centre x and y and size in pixels of each last or first box."""
    seen = [item.last if last else item.first for item in tracklets]
    return np.array([(s.time_s, *s.centre, s.size) for s in seen])
