"""Cuts the planned boxes out of their pictures into folders of identities."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.reid.tracklets import CropPlan
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.io.write.crops import cut_box, encode_jpeg
from mot_dinov3.io.write.directories import AtomicDirectory
from mot_dinov3.values import FloatArray, Frame, Image

Judge = Callable[[Image, FloatArray], FloatArray]
"""Picture and (N, 4) boxes -> (N,) how good a crop each would be."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the files of one source are called.

    Attributes:
        first: number of the first identity.
        camera: number of the camera.
        sequence: number of the recording of that camera.
    """

    first: int
    camera: int
    sequence: int

    def name(self, tracklet: int, frame_index: int) -> tuple[str, str]:
        """Folder and file of a crop, as Market-1501 names them; frames count from 0."""
        who = f"{self.first + tracklet:04d}"
        return who, f"{who}_c{self.camera}s{self.sequence}_{frame_index:06d}_00.jpg"


@dataclass(frozen=True, slots=True)
class _Shot:
    place: int
    worth: float
    frame_index: int
    picture: Image


def write_crops(
    frames: Iterable[Frame],
    planned: tuple[MotTable, CropPlan],
    directory: AtomicDirectory,
    labels: Labels,
    judge: Judge,
) -> int:
    """Write the best crop of each part of each tracklet; returns how many were written.

    Args:
        frames: the source, read again; frames that it lacks are passed over.
        planned: all boxes, and which of them may become pictures.
        directory: gets a folder for each tracklet.
        labels: what the files are called.
        judge: says which of the crops of a part is best.

    Raises:
        OutputError: a file cannot be written.
    """
    table, plan = planned
    when = table.frame_index[plan.rows]
    best: dict[int, _Shot] = {}
    written = 0

    def write(tracklet: int) -> int:
        shot = best.pop(tracklet, None)
        if shot is None:
            return 0
        directory.write(*labels.name(tracklet, shot.frame_index), encode_jpeg(shot.picture))
        return 1

    for frame in frames:
        low, high = np.searchsorted(when, [frame.index, frame.index + 1]).tolist()
        if low == len(when):
            break
        boxes = table.xyxy[plan.rows[low:high]]
        worths = judge(frame.image, boxes).tolist()
        for k, worth, box in zip(range(low, high), worths, boxes, strict=True):
            tracklet, place = int(plan.tracklet[k]), int(plan.place[k])
            if tracklet in best and best[tracklet].place != place:
                written += write(tracklet)
            picture = cut_box(frame.image, box)
            if picture.size and (tracklet not in best or worth > best[tracklet].worth):
                best[tracklet] = _Shot(place, worth, frame.index, picture.copy())
    return written + sum(write(tracklet) for tracklet in sorted(best))
