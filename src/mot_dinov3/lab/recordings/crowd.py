"""Drawn crowds for a tracker: its boxes and looks, without pictures or models."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from mot_dinov3.data.synthetic.crowd import HEIGHT, WIDTH, Crowd, CrowdConfig
from mot_dinov3.lab.recordings.clip import ClipPlayer, RecordedClip
from mot_dinov3.values import Frame


def record_crowd(crowd: CrowdConfig, frames: int) -> RecordedClip:
    """Record the first `frames` of a crowd."""
    clip = _empty_clip()
    for frame, detections, vectors in islice(Crowd(crowd), frames):
        clip.add(frame, detections, vectors)
    return clip


class CrowdPlayer(ClipPlayer):
    """Detector and embedder of a crowd that goes on for ever; only its last frame is in memory.

    Iterating gives the frames, black and in their size, each of them just before it can be seen.
    """

    def __init__(self, crowd: CrowdConfig) -> None:
        super().__init__(_empty_clip())
        self.dim = crowd.dim
        self._crowd = Crowd(crowd)

    def __iter__(self) -> Iterator[Frame]:
        for frame, detections, vectors in self._crowd:
            self.clip.frames.clear()
            self.clip.add(frame, detections, vectors)
            yield from self.clip.black_frames()


def _empty_clip() -> RecordedClip:
    return RecordedClip("a crowd", {0: "person"}, frame_wh=(int(WIDTH), int(HEIGHT)))
