"""Which finds of a searcher are their tracks, where a detector sees others beside them."""

from __future__ import annotations

from collections.abc import Callable, Set

import numpy as np

from mot_dinov3.perception.searchers.base import Finds
from mot_dinov3.perception.searchers.likeness import measure_colours
from mot_dinov3.tracking.unseen import UnseenTracks
from mot_dinov3.values import BoolArray, FloatArray, Frame, IntArray, Tracks
from mot_dinov3.values.boxes import area, intersection, iou, sides

SAME = 0.6
"""Part of a find that a track that was seen may cover: one that is covered more is that track."""
AGREED_IOU, ALIKE_IOU = 0.8, 0.5
"""Overlap of a find with the predicted box, where nothing can tell what was found, and where it
looks like its track: a post that hides a person stands still, and what passes before her goes
another way."""
SAME_COLOURS = 0.86
"""Likeness of colours from which on a find looks like its track where there is no embedder."""

Embed = Callable[[FloatArray], FloatArray]


class FindJudge:
    """Believes finds that are near their tracks' predictions, the nearer the less it knows of them.

    Without an embedder the colours tell that a track had when it was seen last, if they are not
    also those of what is on its left and right.
    """

    def __init__(self) -> None:
        """Begin a clip; no track was shown yet."""
        self._shown: dict[int, tuple[Frame, FloatArray]] = {}

    def note(self, frame: Frame, tracks: Tracks, rows: IntArray) -> None:
        """Remember tracks `rows` in a frame that shows them."""
        for row in rows.tolist():
            self._shown[int(tracks.id[row])] = frame, tracks.xyxy[row]

    def forget(self, ids: Set[int]) -> None:
        """Forget what was shown of tracks."""
        for number in ids:
            self._shown.pop(number, None)

    def judge(
        self,
        frame: Frame,
        tracks: Tracks,
        rows: IntArray,
        finds: Finds,
        unseen: UnseenTracks,
        embed: Embed | None,
    ) -> BoolArray:
        """(M,) which finds of tracks `rows` (M,) are these tracks.

        Args:
            frame: the picture.
            tracks: what the tracker says of it.
            rows: those that were searched.
            finds: where they were found, as sure as it has to be.
            unseen: compares looks.
            embed: describes boxes (M, 4) by (M, D) unit rows; None without an embedder.
        """
        agreed = iou(sides(finds.xyxy), sides(tracks.xyxy[rows]))
        good: BoolArray = (measure_cover(tracks, finds.xyxy) < SAME) & (agreed >= ALIKE_IOU)
        rows, boxes, near = rows[good], finds.xyxy[good], agreed[good] >= AGREED_IOU
        if not len(rows):
            return good
        if embed is None:
            near[~near] = self._compare(frame, tracks.id[rows[~near]], boxes[~near])
            good[good] = near
        else:
            likeness = unseen.compare(tracks, rows, embed(boxes))
            good[good] = (likeness >= 0) | (np.isnan(likeness) & near)
        return good

    def _compare(self, frame: Frame, ids: IntArray, xyxy: FloatArray) -> BoolArray:
        """(T,) whether boxes (T, 4) have the colours of the tracks `ids`, which tell these."""
        alike = [
            number in self._shown and have_same_colours(self._shown[number], (frame, box))
            for number, box in zip(ids.tolist(), xyxy, strict=True)
        ]
        return np.array(alike, np.bool_)


def have_same_colours(shown: tuple[Frame, FloatArray], found: tuple[Frame, FloatArray]) -> bool:
    """Whether two boxes (4,) of frames are alike, and what is beside the first one is not."""
    frame, box = shown
    aside = np.array([box[2] - box[0], 0] * 2, np.float32)
    own, *others = (measure_colours(frame, one) for one in (box, box - aside, box + aside))
    tells = max(own @ other for other in others) < SAME_COLOURS
    return bool(tells and own @ measure_colours(*found) >= SAME_COLOURS)


def measure_cover(tracks: Tracks, boxes: FloatArray) -> FloatArray:
    """(M,) the largest part of boxes (M, 4) that one track covers that a detection shows."""
    seen = tracks.xyxy[tracks.detection >= 0]
    if not len(seen) or not len(boxes):
        return np.zeros(len(boxes), np.float32)
    common = intersection(sides(boxes)[:, :, None], sides(seen)[:, None])
    covered = (common[0] * common[1]).max(axis=1)
    return np.asarray(covered / np.maximum(area(boxes), 1e-6), np.float32)
