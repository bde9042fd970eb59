"""Decides while a run goes on which of its tracks are known identities.

A track is asked about once it has a few embeddings, and again as more come, until it is
recognised; then it keeps the identity. One that ends unrecognised is a new identity, to which later
tracks of the same run may return. Only embeddings that the scheduler bought anyway are read.

A wrong identity is worse than none, so a track is never given one that another track has which was
seen at the same time, and it must look more like the identity than like any such track; nor may
such a track look more like the identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from mot_dinov3.io.formats.identity_gallery import IdentityGallery, KnownIdentity
from mot_dinov3.runs.identities.book import Found, IdentityBook, IdentityRule, average
from mot_dinov3.runs.relink.collector import SpreadGallery
from mot_dinov3.values import FloatArray, FrameResult, follow_ids

ENOUGH = 3
"""Embeddings from which on a track is compared."""
RETRY = 4 / 3
"""A track is compared again when it has so many times as many."""


@dataclass(slots=True, eq=False)
class _Track:
    """A track so far.

    Attributes:
        beside: tracks that were seen at the same time.
        given: how many embeddings there were.
        next_try: number of embeddings at which it is compared again.
    """

    id: int
    class_name: str
    vectors: SpreadGallery = field(default_factory=SpreadGallery)
    beside: dict[int, _Track] = field(default_factory=dict)
    given: int = 0
    next_try: int = ENOUGH
    found: Found | None = None

    @property
    def mean(self) -> FloatArray:
        """(D,) the mean of its embeddings, of which there is at least one."""
        return average(self.vectors.vectors)


class IdentityResolver:
    """Watches every frame of a run.

    Attributes:
        offset: what ids of tracks are raised by, so that none is that of an older identity.
        found: id of a track, raised -> the identity that it is.
        most: the highest id of a track so far, raised.
    """

    def __init__(
        self, gallery: IdentityGallery, rule: IdentityRule, names: Mapping[int, str]
    ) -> None:
        """Begin with the identities of `gallery`; `names` are those of classes by their ids."""
        self.offset = self.most = gallery.next_id - 1
        self.found: dict[int, Found] = {}
        self.rule = rule
        self.learned: dict[int, list[FloatArray]] = {}
        self._names = names
        self._book = IdentityBook(gallery.identities.values())
        self._open: dict[int, _Track] = {}
        self._seen: frozenset[int] = frozenset()

    def label(self, number: int) -> str:
        """What the track `number` is called: a name or an older id, "" while it is unknown."""
        found = self.found.get(number)
        return "" if found is None else self._book.known[found.id].label

    def observe(self, result: FrameResult) -> None:
        """Learn from one frame, whose tracks have raised ids already."""
        tracks, embeddings = result.tracks, result.embeddings
        follow_ids(self._open, tracks)
        for number in tracks.given_ids.values():
            if number in self._open:
                self._open[number].id = number
        alive = set(tracks.id.tolist())
        for number in [known for known in self._open if known not in alive]:
            self._close(self._open.pop(number))
        changed = []
        for row in (tracks.detection >= 0).nonzero()[0].tolist():
            number, detection = int(tracks.id[row]), int(tracks.detection[row])
            class_name = self._names.get(int(tracks.class_id[row]), "")
            track = self._open.setdefault(number, _Track(number, class_name))
            track.class_name = class_name
            if embeddings is not None and embeddings.memorable[detection]:
                track.vectors.add(embeddings.vectors[detection])
                track.given += 1
                changed.append(track)
        self._note_company(frozenset(tracks.id[tracks.present].tolist()))
        for track in changed:
            if track.id > 0 and track.found is None and track.given >= track.next_try:
                track.next_try = int(track.given * RETRY) + 1
                self._ask(track)

    def finish(self) -> None:
        """Decide about the tracks that are still open; those with most embeddings come first."""
        for track in sorted(self._open.values(), key=lambda track: -track.given):
            self._close(track)
        self._open = {}

    def new_identities(self) -> list[KnownIdentity]:
        """The identities that began in this run, under the raised id of their first track."""
        return [one for number, one in self._book.known.items() if number > self.offset]

    def _note_company(self, seen: frozenset[int]) -> None:
        for one, other in product(seen - self._seen, seen):
            if one != other:
                a, b = self._open[one], self._open[other]
                a.beside[other], b.beside[one] = b, a
        self._seen = seen
        self.most = max(self.most, *seen, 0)

    def _ask(self, track: _Track) -> None:
        mean, beside = track.mean, track.beside.values()
        refused = {other.found.id for other in beside if other.found is not None}
        found = self._book.find(track.vectors.vectors, track.class_name, refused, self.rule)
        if found is None:
            return
        for other in beside:
            if not other.given:
                continue
            theirs = other.mean
            if float(theirs @ mean) > found.similarity:
                return
            if other.found is None and self._book.similarity(found.id, theirs) > found.similarity:
                return
        track.found = self.found[track.id] = found

    def _close(self, track: _Track) -> None:
        if track.id > 0 and track.given >= ENOUGH:
            self._decide(track)
        track.beside.clear()  # else every track would keep all that came before it in memory

    def _decide(self, track: _Track) -> None:
        if track.found is None:
            self._ask(track)
        if track.found is not None:
            self.learned.setdefault(track.found.id, []).append(track.vectors.vectors)
            return
        vectors = track.vectors.vectors
        self._book.add(KnownIdentity(track.id, "", track.class_name, "", 0.0, vectors))
        track.found = Found(track.id, 1.0)
