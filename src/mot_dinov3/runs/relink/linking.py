"""Which tracklets continue which: gates of time, place and class, then one assignment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mot_dinov3.config.tracking.relink import RelinkConfig
from mot_dinov3.runs.relink.reciprocal import gallery_similarity
from mot_dinov3.runs.relink.tracklets import Tracklet
from mot_dinov3.tracking.assignment import hungarian
from mot_dinov3.values import NO_ROWS, FloatArray, IntArray
from mot_dinov3.values.run_facts import Merger

SLACK = 1.0
"""Box sizes that boxes may be apart however short the gap is: one is often cut or late."""

SCALE = 2.0
"""A box may grow or shrink by no more than this factor."""

SURE = 1e-3
"""What leaving two tracklets alone costs more than merging them at the least similarity."""


def find_mergers(tracklets: Sequence[Tracklet], config: RelinkConfig) -> list[Merger]:
    """The identities to merge, in order of the time at which they begin.

    Every tracklet has one that it continues at most, and is continued by one at most. What
    continues another begins after its end, so no two of a chain overlap in time.

    Args:
        tracklets: all identities of a run; those that may not be merged count as neighbours.
        config: least similarity, longest gap, highest speed.
    """
    rows, columns = possible(tracklets, config)
    alike = gallery_similarity([item.vectors for item in tracklets], rows, columns)
    kept = np.flatnonzero(alike >= config.similarity)
    rows, columns, alike = rows[kept], columns[kept], alike[kept]
    chosen = hungarian(rows, columns, config.similarity - alike, SURE)
    pairs = zip(rows[chosen].tolist(), columns[chosen].tolist(), alike[chosen].tolist(),
                strict=True)  # fmt: skip
    root: dict[int, int] = {}
    out = []
    for i, j, similarity in sorted(pairs, key=lambda pair: tracklets[pair[1]].first.time_s):
        before, after = tracklets[i], tracklets[j]
        root[after.id] = root.get(before.id, before.id)
        gap_s = after.first.time_s - before.last.time_s
        out.append(
            Merger(after.id, root[after.id], before.id, round(similarity, 4), round(gap_s, 3))
        )
    return out


def possible(tracklets: Sequence[Tracklet], config: RelinkConfig) -> tuple[IntArray, IntArray]:
    """(K,) and (K,) rows of tracklets whose end the beginning of another may continue.

    The other begins later than it ends, by `gap_s` at most; both are of one class and have
    embeddings; the boxes are of similar size, and no farther apart than `speed` allows.
    """
    if not tracklets:
        return NO_ROWS, NO_ROWS
    ends, begins = _corners(tracklets, last=True), _corners(tracklets, last=False)
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
        fits &= np.abs(np.log(begins[:, 3] / size)) <= np.log(SCALE)
        found = np.flatnonzero(fits)
        rows.append(np.full(len(found), i, np.int64))
        columns.append(found)
    return np.concatenate([NO_ROWS, *rows]), np.concatenate([NO_ROWS, *columns])


def _corners(tracklets: Sequence[Tracklet], *, last: bool) -> FloatArray:
    """(T, 4) time in seconds, centre x and y, and size of each one's end or beginning."""
    seen = [item.last if last else item.first for item in tracklets]
    return np.array([(s.time_s, *s.centre, s.size) for s in seen])
