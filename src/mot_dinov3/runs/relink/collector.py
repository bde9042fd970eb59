"""Gathers the tracklets of a run while it goes, in memory that grows with identities only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from mot_dinov3.runs.relink.gallery import SpreadGallery
from mot_dinov3.runs.relink.tracklets import Sighting, Tracklet
from mot_dinov3.values import CONFIRMED, FloatArray, Frame, FrameResult


@dataclass(slots=True)
class _Life:
    """What is known so far of an identity."""

    class_id: int
    first: Sighting
    last: Sighting
    confirmed: bool = False
    gallery: SpreadGallery = field(default_factory=SpreadGallery)


class TrackletCollector:
    """Hears of every frame, and knows all confirmed identities at the end.

    It takes frames and results like a sink does, and writes nothing.
    """

    def __init__(self) -> None:
        self._lives: dict[int, _Life] = {}
        self._unsure: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing to finish."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Learn from one frame: who is where, and the embeddings that were computed in it."""
        self.follow(result)

    def follow(self, result: FrameResult) -> None:
        """The same without a picture, which nothing is learned from."""
        tracks, embeddings = result.tracks, result.embeddings
        for row in (tracks.detection >= 0).nonzero()[0].tolist():
            left, top, right, bottom = map(float, tracks.xyxy[row])
            sighting = Sighting(result.time_s, (left, top, right, bottom))
            number = int(tracks.id[row])
            self.see(number, int(tracks.class_id[row]), sighting,
                     confirmed=bool(tracks.state[row] == CONFIRMED))  # fmt: skip
            detection = int(tracks.detection[row])
            if embeddings is not None and embeddings.memorable[detection]:
                self.remember(number, embeddings.vectors[detection])
        self._forget(set(tracks.id.tolist()))

    def see(self, number: int, class_id: int, sighting: Sighting, *, confirmed: bool) -> None:
        """Identity `number` is seen, later than ever before."""
        if number not in self._lives:
            self._lives[number] = _Life(class_id, sighting, sighting)
            self._unsure.add(number)
        life = self._lives[number]
        life.class_id, life.last = class_id, sighting
        if confirmed and not life.confirmed:
            life.confirmed = True
            self._unsure.discard(number)

    def remember(self, number: int, vector: FloatArray) -> None:
        """Identity `number` looks like the unit `vector` (D,); of who is gone nothing is kept."""
        if number in self._lives:
            self._lives[number].gallery.add(vector)

    def _forget(self, alive: set[int]) -> None:
        """Drop who went before he was confirmed: no output names him as an identity."""
        for number in self._unsure - alive:
            self._unsure.discard(number)
            del self._lives[number]

    def tracklets(self) -> list[Tracklet]:
        """All that was confirmed, in order of identity."""
        return [
            Tracklet(number, life.class_id, life.first, life.last, life.gallery.vectors)
            for number, life in sorted(self._lives.items())
            if life.confirmed
        ]
