"""Small pictures of identities: the first, the best and the last of each, gathered in the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from mot_dinov3.outputs.report.track_history import rate_clarity
from mot_dinov3.values import CONFIRMED, FloatArray, Image, Tracks, boxes

HEIGHT_PX, WIDTH_PX = 112, 112
QUALITY = 82
PAD = 0.06
MOST_ALBUMS = 500
"""More identities than a report shows: who is seen longest is known only in the end."""
BETTER = 1.2
"""A crop replaces the best one only if it is better by this factor: few are ever encoded."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A picture of one identity.

    Attributes:
        row: row of the frame table it was cut from.
        jpeg: the picture, at most 112 pixels high and wide.
    """

    row: int
    jpeg: bytes


@dataclass(slots=True)
class Album:
    """The pictures of one identity; None where there is none (yet)."""

    first: Crop | None = None
    best: Crop | None = None
    last: Crop | None = None


def cut_jpeg(image: Image, box: FloatArray) -> bytes | None:
    """What a box (4,) xyxy shows of an image (H, W, 3) BGR, as a small JPEG; None if nothing."""
    height, width = image.shape[:2]
    if not np.isfinite(box).all():
        return None
    padded = boxes.clip(boxes.pad(box[None].astype(np.float32), PAD), width, height)[0]
    left, top, right, bottom = np.rint(padded).astype(int).tolist()
    part = image[top:bottom, left:right]
    if not part.size:
        return None
    scale = min(HEIGHT_PX / part.shape[0], WIDTH_PX / part.shape[1])
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    done, jpeg = cv2.imencode(
        ".jpg", cv2.resize(part, size, interpolation=way), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    return jpeg.tobytes() if done else None


@dataclass(slots=True)
class _Shown:
    album: Album
    seen: int = 0
    best: float = 0.0
    confirmed: bool = False


class CropCollector:
    """Takes every frame and keeps three pictures of each identity; memory is bounded.

    It encodes when somebody comes, goes, or is seen clearly better than before. For who goes it
    holds on to the frame before, as it is.
    """

    def __init__(self) -> None:
        self._shown: dict[int, _Shown] = {}
        self._before: tuple[int, Image | None, dict[int, FloatArray]] = (0, None, {})

    def add(self, row: int, image: Image, tracks: Tracks) -> None:
        """Take the frame that is row `row` of the frame table: its picture and who is there."""
        here = tracks[tracks.detection >= 0]
        found = dict(zip(here.id.tolist(), here.xyxy, strict=True))
        self._part(set(found))
        worth = rate_clarity(here, (image.shape[1], image.shape[0]))
        for index, (track_id, box) in enumerate(found.items()):
            shown = self._shown.setdefault(track_id, _Shown(Album()))
            shown.seen += 1
            shown.confirmed |= int(here.state[index]) == CONFIRMED
            if shown.best and worth[index] <= BETTER * shown.best:
                continue
            jpeg = cut_jpeg(image, box)
            if jpeg is not None:
                shown.album.best = Crop(row, jpeg)
                shown.album.first = shown.album.first or shown.album.best
                shown.best = max(float(worth[index]), 1e-6)
        self._before = (row, image, found)
        self._forget(set(tracks.id.tolist()))

    def merge(self, new_of: Mapping[int, int]) -> None:
        """Put the pictures of identities that were given up into the albums of their new ones."""
        self._part(set())
        for old in sorted(new_of, key=self._first_row):
            later, kept = self._shown.pop(old, None), self._shown.get(new_of[old])
            if later is None or kept is None:
                self._shown |= {new_of[old]: later} if later is not None else {}
                continue
            kept.seen += later.seen
            kept.confirmed |= later.confirmed
            kept.album.first = kept.album.first or later.album.first
            kept.album.last = later.album.last or kept.album.last
            if later.best > kept.best:
                kept.album.best, kept.best = later.album.best, later.best

    def _first_row(self, track_id: int) -> int:
        shown = self._shown.get(track_id)
        return shown.album.first.row if shown is not None and shown.album.first else 0

    def albums(self) -> dict[int, Album]:
        """Identity -> its pictures, of those who were ever confirmed; asked at the end."""
        self._part(set())
        return {i: shown.album for i, shown in self._shown.items() if shown.confirmed}

    def _part(self, here: set[int]) -> None:
        """Cut the last picture of whoever was in the frame before and is not `here`."""
        row, image, found = self._before
        for track_id, box in found.items():
            if track_id not in here and image is not None and track_id in self._shown:
                jpeg = cut_jpeg(image, box)
                if jpeg is not None:
                    self._shown[track_id].album.last = Crop(row, jpeg)

    def _forget(self, alive: set[int]) -> None:
        """Drop who ended without ever being confirmed, then the shortest tracks of too many."""
        gone = [i for i, shown in self._shown.items() if i not in alive and not shown.confirmed]
        for track_id in gone:
            del self._shown[track_id]
        if len(self._shown) > MOST_ALBUMS:
            ended = [i for i in self._shown if i not in alive]
            for track_id in sorted(ended, key=lambda i: self._shown[i].seen)[: MOST_ALBUMS // 10]:
                del self._shown[track_id]
