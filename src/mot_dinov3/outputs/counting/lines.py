"""A line that counts the tracks which cross it, each way."""

from __future__ import annotations

from collections import Counter

import numpy as np

from mot_dinov3.config import CountConfig
from mot_dinov3.outputs.counting.base import SeenTracks, choose_positions, to_detections
from mot_dinov3.values.counting import CountEvent, CountKind, LineCounts, Point

KEPT_S = 3.0
"""How long the side of a track out of sight is kept: it may return on the other one."""


class LineCounter:
    """One line; supervision's `LineZone` says who crosses it.

    A `LineZone` forgets the side of a track that is out of sight for some frames, and the crossing
    of a person who is hidden meanwhile would not count. Hence such a track is shown to it at a
    place beyond the end of the line, where nothing counts and nothing is forgotten.

    Attributes:
        name: of the line.
        counts: (kind, class id) -> crossings so far.
    """

    def __init__(self, name: str, ends: tuple[Point, Point], config: CountConfig) -> None:
        """A line that was not crossed yet.

        Args:
            name: of the line.
            ends: its first and its second point in pixels.
            config: which point of a box counts, and after how many frames.
        """
        import supervision as sv

        self.name, self._ends = name, ends
        self.counts: Counter[tuple[CountKind, int]] = Counter()
        start, end = (sv.Point(*point) for point in ends)
        self._zone = sv.LineZone(start, end, choose_positions(config), config.after)
        beyond = [2 * end.x - start.x, 2 * end.y - start.y]
        self._beyond = np.array([beyond + beyond], np.float32)
        self._seen_s: dict[int, float] = {}

    def count(self, seen: SeenTracks) -> list[CountEvent]:
        """Take the next frame, and return who crossed in it."""
        hidden = np.array(self._find_hidden(seen), np.int64)
        boxes = np.concatenate((seen.xyxy, np.repeat(self._beyond, len(hidden), axis=0)))
        class_ids = np.concatenate((seen.class_id, np.full_like(hidden, -1)))
        shown = to_detections(boxes, np.concatenate((seen.id, hidden)), class_ids)
        crossed = zip((CountKind.IN, CountKind.OUT), self._zone.trigger(shown), strict=True)
        return [
            self._create_event(seen, row, kind)
            for kind, rows in crossed
            for row in np.flatnonzero(rows).tolist()
        ]

    def _find_hidden(self, seen: SeenTracks) -> list[int]:
        """The tracks that were seen not long ago and are not seen now."""
        now_s = seen.time_s
        before = {i: time_s for i, time_s in self._seen_s.items() if now_s - time_s <= KEPT_S}
        here = seen.id.tolist()
        self._seen_s = before | dict.fromkeys(here, now_s)
        return [*before.keys() - here]

    def _create_event(self, seen: SeenTracks, row: int, kind: CountKind) -> CountEvent:
        class_id = int(seen.class_id[row])
        self.counts[kind, class_id] += 1
        track_id = int(seen.id[row])
        return CountEvent(seen.frame_index, seen.time_s, kind, self.name, track_id, class_id)

    def get_counts(self) -> LineCounts:
        """The line as it is after the last frame."""
        n_in, n_out = (
            sum(n for (one, _), n in self.counts.items() if one == kind)
            for kind in (CountKind.IN, CountKind.OUT)
        )
        return LineCounts(self.name, self._ends, n_in, n_out)
