"""Arbitration after a crossing: did two tracks that overlapped go on with each other's number?

While boxes overlap, place says little and crops show both objects. So two tracks whose boxes
overlap become a case, and what their galleries held before is kept. Once they are apart, the
galleries of before are compared with good crops of after, straight and crossed::

    straight = cosine(A before, A after) + cosine(B before, B after)
    crossed  = cosine(A before, B after) + cosine(B before, A after)

If crossed is higher by a margin, the two exchange their identities from this frame on: number and
gallery. Boxes and motion stay where they are. Three that cross are three cases of two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.tracking.gallery import Gallery, Memory
from mot_dinov3.tracking.track_table import TrackTable
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    BoolArray,
    Embeddings,
    FloatArray,
    IntArray,
)
from mot_dinov3.values.boxes import find_overlapping, iou, sides, take_boxes
from mot_dinov3.values.vectors import cosine

TOUCH_IOU = 0.1
"""Predicted boxes that overlap by this much open a case: later crops may show both."""

RISK_IOU = 0.3
"""Tracks that never overlapped by so much, and were both seen, have not changed places."""

APART_IOU = 0.05
"""Boxes that overlap by no more than this show one object each."""

UNLIKE = 0.15
"""Least cosine distance of the two galleries: those who look the same cannot be told apart."""

KNOWN = 3
"""Least embeddings of each gallery from before: fewer may show anything."""

CROPS = 4
"""Good crops of each track that an exchange needs; a clear "no" needs one."""

MOST_S = 2.0
"""A case is closed without a verdict so long after its tracks last overlapped."""


@dataclass(frozen=True, slots=True)
class Margins:
    """How far apart the sums of two cosines, crossed minus straight, have to be.

    They are figures of OSNet on persons; an embedder that spreads less needs less.

    Attributes:
        exchange: above this, the two have changed places.
        remain: below this, they have not.
    """

    exchange: float = 0.05
    remain: float = -0.3


@dataclass(slots=True)
class Case:
    """Two tracks that overlapped.

    Attributes:
        before: what each of the two remembered when they met, by its id.
        overlapped_s: when they last overlapped.
        at_risk: they overlapped by so much, or one was unseen meanwhile, that they may have
            changed places.
    """

    before: dict[int, Memory]
    overlapped_s: float
    at_risk: bool = False


@dataclass(frozen=True, slots=True)
class Views:
    """Good crops of one track since it last overlapped with the other side of a case.

    Attributes:
        total: (D,) float32 sum of their embeddings.
        count: how many they are.
    """

    total: FloatArray
    count: int

    @property
    def mean(self) -> FloatArray:
        """(D,) float32 unit vector."""
        return np.asarray(self.total / max(float(np.linalg.norm(self.total)), 1e-12), np.float32)


class Arbiter:
    """Keeps the cases and decides them; in every frame `open_cases`, then `settle`."""

    def __init__(self, margins: Margins | None = None) -> None:
        """Begin without cases."""
        self.margins = margins or Margins()
        self._cases: dict[tuple[int, int], Case] = {}
        self._views: dict[int, Views] = {}
        self._comparable: set[tuple[int, int]] = set()
        self._time_s = -np.inf

    def open_cases(
        self,
        table: TrackTable,
        xyxy: FloatArray,
        gallery: Gallery,
        time_s: float,
        most_lost_s: float,
    ) -> None:
        """Open a case for each two tracks that are expected to overlap, before crops are stored.

        Args:
            table: the tracks; those seen a moment ago that remember something take part.
            xyxy: (T, 4) float32 their predicted boxes.
            gallery: what they remember.
            time_s: of the frame.
            most_lost_s: for how long a prediction means something.
        """
        lost = (table.state == LOST) & (table.lost_s <= most_lost_s)
        rows = np.flatnonzero(((table.state == CONFIRMED) | lost) & (gallery.count >= KNOWN))
        boxes = sides(xyxy[rows])
        i, j = find_overlapping(boxes, boxes)
        once = i < j
        i, j = i[once], j[once]
        close = iou(take_boxes(boxes, i), take_boxes(boxes, j)) >= TOUCH_IOU
        i, j = rows[i[close]], rows[j[close]]
        unlike = cosine(gallery.mean[i], gallery.mean[j]) <= 1 - UNLIKE
        for pair in zip(i[unlike].tolist(), j[unlike].tolist(), strict=True):
            ids = table.id[list(pair)].tolist()
            key = (min(ids), max(ids))
            if key not in self._cases:
                before = {name: gallery.copy(row) for name, row in zip(ids, pair, strict=True)}
                self._cases[key] = Case(before, time_s)

    def settle(
        self,
        table: TrackTable,
        xyxy: FloatArray,
        gallery: Gallery,
        embeddings: Embeddings,
        time_s: float,
    ) -> None:
        """Follow the cases, and let tracks that changed places exchange their identities.

        Args:
            table: the tracks after association; ids are exchanged in it.
            xyxy: (T, 4) float32 where they are, predicted where they were not seen.
            gallery: what they remember; exchanged with the ids, without what the crossing added.
            embeddings: of the frame's detections.
            time_s: of the frame.
        """
        self._time_s = time_s
        row_of = {name: row for row, name in enumerate(table.id.tolist())}
        self._drop_gone(row_of)
        self._comparable = set()
        if not self._cases:
            return
        self._follow(row_of, table.detection >= 0, sides(xyxy))
        mixed = {n for key, case in self._cases.items() if case.overlapped_s == time_s for n in key}
        clear = {n for key in self._cases for n in key if table.detection[row_of[n]] >= 0} - mixed
        self._collect({name: int(table.detection[row_of[name]]) for name in clear}, embeddings)
        for key in list(self._cases):
            verdict = self._decide(key)
            if verdict is not None:
                case = self._cases.pop(key)
                if verdict:
                    self._exchange(key, case, row_of, table, gallery)
        self._comparable = {
            key for key, case in self._cases.items() if case.at_risk and clear.issuperset(key)
        }

    @property
    def waiting(self) -> set[int]:
        """Ids of tracks of which a case waits for a good crop: one each, then as many as needed."""
        out: set[int] = set()
        for key in self._comparable:
            counts = [self._views[name].count if name in self._views else 0 for name in key]
            enough = CROPS if min(counts) else 1
            out |= {name for name, count in zip(key, counts, strict=True) if count < enough}
        return out

    def _drop_gone(self, row_of: dict[int, int]) -> None:
        """Drop the cases of tracks that were removed, and crops that no case asks for."""
        gone = [key for key in self._cases if not (key[0] in row_of and key[1] in row_of)]
        for key in gone:
            del self._cases[key]
        wanted = {name for key in self._cases for name in key}
        self._views = {name: views for name, views in self._views.items() if name in wanted}

    def _follow(self, row_of: dict[int, int], seen: BoolArray, boxes: FloatArray) -> None:
        """Note which cases overlap in this frame; crops from before that say nothing any more."""
        rows = np.array([[row_of[name] for name in key] for key in self._cases])
        common = iou(take_boxes(boxes, rows[:, 0]), take_boxes(boxes, rows[:, 1]))
        risky = (common >= RISK_IOU) | ~seen[rows].all(axis=1)
        overlap = common > APART_IOU
        for key, touch, risk in zip(list(self._cases), overlap, risky, strict=True):
            if touch:
                case = self._cases[key]
                case.overlapped_s = self._time_s
                case.at_risk |= bool(risk)
                for name in key:
                    self._views.pop(name, None)

    def _collect(self, found: dict[int, int], embeddings: Embeddings) -> None:
        """Add this frame's good crops: `found` has the detections of tracks that stand alone."""
        memorable = embeddings.memorable
        for name, row in found.items():
            if memorable[row]:
                old = self._views.get(name, Views(np.zeros_like(embeddings.vectors[row]), 0))
                self._views[name] = Views(old.total + embeddings.vectors[row], old.count + 1)

    def _decide(self, key: tuple[int, int]) -> bool | None:
        """Whether the two of a case changed places; None while that is open."""
        case = self._cases[key]
        if case.overlapped_s == self._time_s:
            return None
        if not case.at_risk or self._time_s - case.overlapped_s > MOST_S:
            return False
        if any(name not in self._views for name in key):
            return None
        gain = self._weigh(key, case)
        if gain < self.margins.remain:
            return False
        enough = all(self._views[name].count >= CROPS for name in key)
        return gain > self.margins.exchange if enough else None

    def _weigh(self, key: tuple[int, int], case: Case) -> float:
        """Crossed minus straight sum of cosines."""
        before = np.stack([case.before[name].mean for name in key])
        after = np.stack([self._views[name].mean for name in key])
        cosines = before @ after.T
        return float(cosines[0, 1] + cosines[1, 0] - cosines[0, 0] - cosines[1, 1])

    def _exchange(
        self,
        key: tuple[int, int],
        case: Case,
        row_of: dict[int, int],
        table: TrackTable,
        gallery: Gallery,
    ) -> None:
        """Give the two tracks of a case each other's number and gallery, as it was before."""
        a, b = key
        row_of[a], row_of[b] = row_of[b], row_of[a]
        self._views[a], self._views[b] = self._views[b], self._views[a]
        rows = np.array([row_of[name] for name in key])
        table.id = table.id.copy()  # the prediction of this frame has the array, too
        table.id[rows] = key
        for row, name in zip(rows.tolist(), key, strict=True):
            gallery.restore(row, case.before[name])
        gallery.add(rows, np.stack([self._views[name].mean for name in key]))


def find_disputed(arbiter: Arbiter | None, ids: IntArray) -> BoolArray:
    """(T,) tracks of which a case waits for a good crop; none without an arbiter."""
    waiting = arbiter.waiting if arbiter is not None else set()
    return np.isin(ids, list(waiting)) if waiting else np.zeros(len(ids), np.bool_)
