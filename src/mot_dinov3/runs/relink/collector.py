"""The tracklets of a run: collected while it goes on, or read from what it wrote.

The memory grows with the number of tracks only, not with the number of frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from mot_dinov3.errors import InputError
from mot_dinov3.io.formats.embeddings import read_embeddings
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.runs.relink.tracklets import Sighting, Tracklet
from mot_dinov3.values import CONFIRMED, FloatArray, Frame, FrameResult, follow_ids
from mot_dinov3.wording import counted

MOST_VECTORS = 8
"""Embeddings kept of a track."""


class SpreadGallery:
    """Keeps every n-th embedding it is given; n doubles when there is no room left.

    So the kept ones are always spread evenly over all that came, however many, and the same
    embeddings leave the same gallery.
    """

    def __init__(self, most: int = MOST_VECTORS) -> None:
        """Keep up to `most` embeddings, at least 2."""
        self._most = max(2, most)
        self._kept: list[FloatArray] = []
        self._step = 1
        self._given = 0

    def add(self, vector: FloatArray) -> None:
        """Keep a unit vector (D,), or pass it over."""
        if self._given % self._step == 0:
            if len(self._kept) == self._most:
                self._kept = self._kept[::2]
                self._step *= 2
            if self._given % self._step == 0:
                self._kept.append(np.array(vector, np.float32))
        self._given += 1

    @property
    def vectors(self) -> FloatArray:
        """(M, D) float32 the kept vectors, oldest first; (0, 0) before the first."""
        return np.stack(self._kept) if self._kept else np.zeros((0, 0), np.float32)


@dataclass(slots=True)
class _OpenTracklet:
    """A track so far."""

    class_id: int
    first: Sighting
    last: Sighting
    frames: int = 0
    confirmed: bool = False
    gallery: SpreadGallery = field(default_factory=SpreadGallery)


class TrackletCollector:
    """Takes every frame like a sink, writes nothing, and knows all confirmed tracks at the end."""

    def __init__(self) -> None:
        self._open: dict[int, _OpenTracklet] = {}
        self._unconfirmed: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing to finish."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Learn from one frame: where the tracks are, and the embeddings computed in it."""
        self.observe(result)

    def observe(self, result: FrameResult) -> None:
        """Do the same as `write`, which does not look at the picture."""
        tracks, embeddings = result.tracks, result.embeddings
        follow_ids(self._open, tracks)
        given = tracks.given_ids
        self._unconfirmed = {given.get(number, number) for number in self._unconfirmed}
        for row in (tracks.detection >= 0).nonzero()[0].tolist():
            left, top, right, bottom = map(float, tracks.xyxy[row])
            sighting = Sighting(result.time_s, (left, top, right, bottom))
            number = int(tracks.id[row])
            confirmed = bool(tracks.state[row] == CONFIRMED)
            self.add_sighting(number, int(tracks.class_id[row]), sighting, confirmed=confirmed)
            detection = int(tracks.detection[row])
            if embeddings is not None and embeddings.memorable[detection]:
                self.add_embedding(number, embeddings.vectors[detection])
        self._drop_unconfirmed(set(tracks.id.tolist()))

    def add_sighting(
        self, number: int, class_id: int, sighting: Sighting, *, confirmed: bool
    ) -> None:
        """Extend a track, or begin it.

        Args:
            number: id of the track.
            class_id: its class.
            sighting: later than all before.
            confirmed: whether the track is confirmed now.
        """
        if number not in self._open:
            self._open[number] = _OpenTracklet(class_id, sighting, sighting)
            self._unconfirmed.add(number)
        track = self._open[number]
        track.class_id, track.last = class_id, sighting
        track.frames += 1
        if confirmed and not track.confirmed:
            track.confirmed = True
            self._unconfirmed.discard(number)

    def add_embedding(self, number: int, vector: FloatArray) -> None:
        """Add a unit vector (D,) to the gallery of a track, unless the track was dropped."""
        if number in self._open:
            self._open[number].gallery.add(vector)

    def _drop_unconfirmed(self, alive: set[int]) -> None:
        """Drop the tracks that ended before they were confirmed: no output names them."""
        for number in self._unconfirmed - alive:
            self._unconfirmed.discard(number)
            del self._open[number]

    def tracklets(self) -> list[Tracklet]:
        """All confirmed tracks, in order of their ids."""
        return [
            Tracklet(number, t.class_id, t.first, t.last, t.gallery.vectors, t.frames)
            for number, t in sorted(self._open.items())
            if t.confirmed
        ]


def read_tracklets(frame_log: FrameLog, embeddings: Path) -> list[Tracklet]:
    """The confirmed tracks of a finished run, as `--relink` collects them while a run goes on.

    Args:
        frame_log: what `--save-jsonl` wrote, also of a killed run; it knows the names of classes
            afterwards.
        embeddings: what `--save-embeddings` wrote in the same run.

    Raises:
        InputError: one of them cannot be read, or they are not of one run.
    """
    collector = TrackletCollector()
    fresh = 0
    for record in frame_log:
        collector.observe(record.result)
        tracks = record.result.tracks
        fresh += int((tracks.fresh & (tracks.detection >= 0)).sum())
    rows = 0
    for ids, memorable, vectors in read_embeddings(embeddings):
        rows += len(ids)
        for row in memorable.nonzero()[0].tolist():
            collector.add_embedding(int(ids[row]), vectors[row])
    if rows != fresh:
        raise InputError(
            f"'{frame_log.path}' tells of {counted(fresh, 'embedding')}, but '{embeddings}' holds "
            f"{rows}.",
            fix="Give two files of one run.",
        )
    return collector.tracklets()
