"""Small pictures of identities: the first, the best and the last of each, cut during the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from mot_dinov3.outputs.report.track_history import rate_clarity
from mot_dinov3.values import CONFIRMED, FloatArray, Image, Tracks, boxes, follow_ids

HEIGHT_PX, WIDTH_PX = 112, 112
QUALITY = 82
PAD = 0.06
MOST_ALBUMS = 500
"""More identities than a report shows, as those seen longest are known only at the end."""
BETTER = 1.2
"""Factor by which a crop must be clearer to replace the best one, so that few are encoded."""


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
    """Cut a box out of an image as a small JPEG.

    Args:
        image: (H, W, 3) uint8 BGR.
        box: (4,) float32 xyxy in pixels.

    Returns:
        The JPEG, None where the box shows nothing of the image.
    """
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

    A picture is encoded when a track begins or ends, or is seen clearly better than before. The
    last picture of a track is cut from the frame before, which is kept for that.
    """

    def __init__(self) -> None:
        self._shown: dict[int, _Shown] = {}
        self._before: tuple[int, Image | None, dict[int, FloatArray]] = (0, None, {})

    def add(self, row: int, image: Image, tracks: Tracks) -> None:
        """Take the next frame.

        Args:
            row: of the frame in the frame table.
            image: (H, W, 3) uint8 BGR.
            tracks: of the frame.
        """
        follow_ids(self._shown, tracks)
        follow_ids(self._before[2], tracks)
        here = tracks[tracks.detection >= 0]
        found = dict(zip(here.id.tolist(), here.xyxy, strict=True))
        self._cut_last(set(found))
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
        """Put the pictures of identities that were merged into the albums of their new ones.

        Args:
            new_of: identity that was given up -> the one that took its place.
        """
        self._cut_last(set())
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
        """Identity -> its pictures, of all that were confirmed; to be called at the end."""
        self._cut_last(set())
        return {i: shown.album for i, shown in self._shown.items() if shown.confirmed}

    def _cut_last(self, here: set[int]) -> None:
        """Cut the last picture of the tracks that were in the frame before and are not `here`."""
        row, image, found = self._before
        for track_id, box in found.items():
            if track_id not in here and image is not None and track_id in self._shown:
                jpeg = cut_jpeg(image, box)
                if jpeg is not None:
                    self._shown[track_id].album.last = Crop(row, jpeg)

    def _forget(self, alive: set[int]) -> None:
        """Drop tracks that ended unconfirmed, then the shortest of too many."""
        gone = [i for i, shown in self._shown.items() if i not in alive and not shown.confirmed]
        for track_id in gone:
            del self._shown[track_id]
        if len(self._shown) > MOST_ALBUMS:
            ended = [i for i in self._shown if i not in alive]
            for track_id in sorted(ended, key=lambda i: self._shown[i].seen)[: MOST_ALBUMS // 10]:
                del self._shown[track_id]
