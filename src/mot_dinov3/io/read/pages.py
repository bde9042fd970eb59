"""Frames of one image file that holds several pictures: pages of a TIFF, a moving WebP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.info import DEFAULT_FPS, SourceInfo, sane_fps
from mot_dinov3.io.picture_bytes import is_cut
from mot_dinov3.io.pictures import PictureMaker
from mot_dinov3.io.read.selection import BaseReader
from mot_dinov3.values import Frame, Image

Bytes = NDArray[np.uint8]

LEAST_S = 0.01
"""A picture of an animation is shown for so long at least, as browsers do."""
AT_ONCE = 16
"""Pictures of an animation that are decoded together: each builds on those before it."""


class PagesReader(BaseReader):
    """Reads each page as a frame; pages have no times, the pictures of an animation do.

    Raises:
        InputError: at birth, when the first picture cannot be read or none is selected.
    """

    def __init__(self, data: bytes, pages: Sequence[int], name: str, config: SourceConfig) -> None:
        """Decode the first picture.

        Args:
            data: the file's bytes.
            pages: the numbers of its pictures; see `list_pages`.
            name: how messages call it.
            config: which frames are wanted.
        """
        super().__init__(config)
        self.selection.require_start(name, len(pages))
        self._data, self._pages = np.frombuffer(data, np.uint8), pages
        self._decode = _decode_moving if data.startswith(b"RIFF") else _decode_pages
        self._pictures = PictureMaker()
        self.counted["truncated"] = int(is_cut(data))
        first, lasts_s = next(self._decode(self._data, pages[:1]))
        if first is None:
            what = "is cut short" if is_cut(data) else "holds no picture that can be read"
            raise InputError(
                f"'{name}' {what}.",
                fix="Check that it is whole and opens in an image viewer.",
            )
        self._pictures.fit(first)
        height, width = first.shape[:2]
        self.info = SourceInfo(
            name=name,
            width=width,
            height=height,
            fps=sane_fps(1 / lasts_s),
            frame_count=len(pages),
            is_live=False,
            path=None,
        )

    @property
    def partial(self) -> bool:
        """Whether the file is cut short or a picture could not be read."""
        return self.counted["unreadable_images"] + self.counted["truncated"] > 0

    def __iter__(self) -> Iterator[Frame]:
        time_s = 0.0
        for index, (image, lasts_s) in enumerate(self._decode(self._data, self._pages)):
            if self.selection.is_past(index):
                return
            if self.selection.wants(index):
                if image is None:
                    self.counted["unreadable_images"] += 1
                else:
                    picture = self._pictures.fit(image)
                    self.counted["size_changes"] = self._pictures.size_changes
                    yield Frame(index, time_s, picture)
            time_s += lasts_s


def _decode_pages(data: Bytes, pages: Sequence[int]) -> Iterator[tuple[Image | None, float]]:
    """(picture or None, seconds) of each page of a TIFF; pages follow each other as frames do."""
    for page in pages:
        try:
            _, found = cv2.imdecodemulti(data, cv2.IMREAD_COLOR, range=(page, page + 1))
        except cv2.error:
            found = ()
        yield (np.asarray(found[0], np.uint8) if len(found) else None), 1 / DEFAULT_FPS


def _decode_moving(data: Bytes, pages: Sequence[int]) -> Iterator[tuple[Image | None, float]]:
    """(picture or None, seconds for which it is shown) of each picture of an animation."""
    for start in range(0, len(pages), AT_ONCE):
        count = min(AT_ONCE, len(pages) - start)
        try:
            _, found = cv2.imdecodeanimation(data, start, count)
        except cv2.error:
            found = cv2.Animation()
        shown = [np.ascontiguousarray(image[..., :3], np.uint8) for image in found.frames]
        lasting = [max(LEAST_S, ms / 1000) for ms in found.durations]
        yield from zip(shown, lasting, strict=True)
        yield from [(None, 1 / DEFAULT_FPS)] * (count - len(shown))
