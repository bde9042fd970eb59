"""A zone that knows which tracks are in it, and for how long they were."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from mot_dinov3.config import CountConfig
from mot_dinov3.outputs.counting.base import SeenTracks, choose_positions, to_detections
from mot_dinov3.values.counting import CountEvent, CountKind, Point, ZoneCounts


@dataclass(slots=True)
class Visitor:
    """A track near a zone.

    Attributes:
        class_id: its class when it was last seen.
        inside: it counts as inside.
        streak: frames in a row in which it was seen on the other side than it counts for.
        since_s: time of the first frame of the visit, or of the streak before it.
        until_s: time of the last frame in which it was seen inside.
    """

    class_id: int
    inside: bool = False
    streak: int = 0
    since_s: float = 0.0
    until_s: float = 0.0


class ZoneCounter:
    """One zone; supervision's `PolygonZone` says who is in it.

    A track that is lost in the zone stays in it until it is seen outside, or until the tracker
    removes it. Its seconds end with the frame in which it was last seen inside.

    Attributes:
        name: of the zone.
        counts: (kind, class id) -> visits that began and ended so far.
        most: most tracks that were in it at the same time.
    """

    def __init__(self, name: str, corners: tuple[Point, ...], config: CountConfig) -> None:
        """A zone that was not entered yet.

        Args:
            name: of the zone.
            corners: in pixels, in order around it.
            config: which point of a box counts, and after how many frames.
        """
        from supervision import PolygonZone

        self.name, self._corners = name, corners
        self.counts: Counter[tuple[CountKind, int]] = Counter()
        self.most = 0
        polygon = np.rint(np.array(corners)).astype(np.int64)
        self._zone = PolygonZone(polygon, choose_positions(config))
        self._after = config.after
        self._visitors: dict[int, Visitor] = {}
        self._seconds: dict[int, float] = {}
        self._class_of: dict[int, int] = {}

    def count(self, seen: SeenTracks) -> list[CountEvent]:
        """Take the next frame, and return who entered and who left in it."""
        shown = to_detections(seen.xyxy, seen.id, seen.class_id)
        events = [
            event
            for row, inside in enumerate(self._zone.trigger(shown).tolist())
            if (event := self._observe(seen, row, inside=inside)) is not None
        ]
        for track_id in sorted(self._visitors.keys() - seen.alive):
            visitor = self._visitors.pop(track_id)
            if visitor.inside:
                events.append(self._leave(seen, track_id, visitor))
        self.most = max(self.most, self._count_inside())
        return events

    def _observe(self, seen: SeenTracks, row: int, *, inside: bool) -> CountEvent | None:
        """Take a track that is seen inside or outside; it counts after some frames in a row."""
        track_id, class_id = int(seen.id[row]), int(seen.class_id[row])
        if track_id not in self._visitors and not inside:
            return None
        visitor = self._visitors.setdefault(track_id, Visitor(class_id))
        visitor.class_id = class_id
        if inside:
            visitor.until_s = seen.time_s
        if inside == visitor.inside:
            visitor.streak = 0
            return None
        visitor.streak += 1
        if inside and visitor.streak == 1:
            visitor.since_s = seen.time_s
        if visitor.streak < self._after:
            return None
        visitor.inside, visitor.streak = inside, 0
        note = self._enter if inside else self._leave
        return note(seen, track_id, visitor)

    def _enter(self, seen: SeenTracks, track_id: int, visitor: Visitor) -> CountEvent:
        self.counts[CountKind.ENTER, visitor.class_id] += 1
        self._seconds.setdefault(track_id, 0.0)
        self._class_of[track_id] = visitor.class_id
        return self._create_event(seen, CountKind.ENTER, track_id, None)

    def _leave(self, seen: SeenTracks, track_id: int, visitor: Visitor) -> CountEvent:
        self.counts[CountKind.LEAVE, visitor.class_id] += 1
        self._class_of[track_id] = visitor.class_id
        seconds = visitor.until_s - visitor.since_s
        self._seconds[track_id] += seconds
        return self._create_event(seen, CountKind.LEAVE, track_id, seconds)

    def _create_event(
        self, seen: SeenTracks, kind: CountKind, track_id: int, seconds: float | None
    ) -> CountEvent:
        class_id = self._class_of[track_id]
        place, frame, time_s = self.name, seen.frame_index, seen.time_s
        return CountEvent(frame, time_s, kind, place, track_id, class_id, seconds)

    def _count_inside(self) -> int:
        return sum(visitor.inside for visitor in self._visitors.values())

    def get_counts(self) -> ZoneCounts:
        """The zone as it is after the last frame."""
        entered = sum(n for (kind, _), n in self.counts.items() if kind == CountKind.ENTER)
        return ZoneCounts(self.name, self._corners, self._count_inside(), entered)

    def list_seconds(self) -> list[tuple[int, int, float]]:
        """Class id, track id and seconds inside of every track that was in the zone.

        Visits that go on count until the last frame in which the track was seen inside.
        """
        seconds = dict(self._seconds)
        for track_id, visitor in self._visitors.items():
            if visitor.inside:
                seconds[track_id] += visitor.until_s - visitor.since_s
        return [(self._class_of[i], i, spent) for i, spent in sorted(seconds.items())]
