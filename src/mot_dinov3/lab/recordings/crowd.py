"""Drawn crowds for a tracker: its boxes and looks, without pictures or models."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from mot_dinov3.data.synthetic.crowd import HEIGHT, WIDTH, Crowd, CrowdConfig
from mot_dinov3.lab.recordings.tape import Tape, TapePlayer
from mot_dinov3.values import Frame


def crowd_tape(crowd: CrowdConfig, frames: int) -> Tape:
    """The first `frames` of a crowd."""
    tape = _empty_tape()
    for frame, detections, vectors in islice(Crowd(crowd), frames):
        tape.add(frame, detections, vectors)
    return tape


class CrowdPlayer(TapePlayer):
    """Detector and embedder of a crowd that goes on for ever; only its last frame is in memory.

    Iterating gives the frames, black and in their size, each of them just before it can be seen.
    """

    def __init__(self, crowd: CrowdConfig) -> None:
        super().__init__(_empty_tape())
        self.dim = crowd.dim
        self._crowd = Crowd(crowd)

    def __iter__(self) -> Iterator[Frame]:
        for frame, detections, vectors in self._crowd:
            self.tape.takes.clear()
            self.tape.add(frame, detections, vectors)
            yield from self.tape.frames()


def _empty_tape() -> Tape:
    return Tape("a crowd", {0: "person"}, frame_wh=(int(WIDTH), int(HEIGHT)))
