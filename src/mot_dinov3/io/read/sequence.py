"""`mot:DIR`: a MOTChallenge sequence, with its images or, where there are none, without pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.io.pictures import PictureMaker
from mot_dinov3.io.read.images import (
    IMAGE_SUFFIXES,
    ExtraPictures,
    number_images,
    read_first_image,
    read_image,
)
from mot_dinov3.io.read.selection import BaseReader, FrameSelection
from mot_dinov3.io.read.seqinfo import (
    SEQUENCE_FILE,
    SequenceInfo,
    find_image_directory,
    read_section,
    read_seqinfo,
)
from mot_dinov3.runtime.opening import keep_regular
from mot_dinov3.values import Frame, Image

MOT_PREFIX = "mot:"


def open_sequence(directory: Path, config: SourceConfig) -> SequenceReader:
    """Open the sequence in `directory`; all it says about itself is checked here.

    Raises:
        InputError: no sequence, nonsense in its `seqinfo.ini`, images of another size than it
            states or none that can be read, or `--start-frame` beyond its end.
    """
    sequence = read_seqinfo(directory)
    FrameSelection(config).require_start(sequence.name, sequence.frames)
    return SequenceReader(sequence, _find_images(directory, sequence), config)


def _find_images(directory: Path, sequence: SequenceInfo) -> dict[int, Path]:
    """0-based frame -> image file; empty where the sequence has no images."""
    section = read_section(directory)
    images = find_image_directory(directory, section)
    if images is None or not any(
        file.suffix.lower() in IMAGE_SUFFIXES for file in keep_regular(images.iterdir())
    ):
        return {}
    found = number_images(images, section, sequence.name)
    return dict(zip(found.indices, found.files, strict=True))


class SequenceReader(BaseReader):
    """The frames 1 to `seqLength` of a sequence, at the times that its frame rate gives them.

    Without images every frame has the same read-only black picture, which takes no memory, and
    `info.has_pixels` is off. With images, those that are missing or unreadable are counted and
    their frames left out.
    """

    def __init__(
        self, sequence: SequenceInfo, images: dict[int, Path], config: SourceConfig
    ) -> None:
        super().__init__(config)
        self._sequence = sequence
        self._images = images
        self._pictures, self._extra = PictureMaker(), ExtraPictures()
        self.info = SourceInfo(
            name=sequence.name,
            width=sequence.width,
            height=sequence.height,
            fps=sequence.fps,
            frame_count=sequence.frames,
            is_live=False,
            path=None,
            has_pixels=bool(images),
        )
        if images:
            self._check_images()

    def _check_images(self) -> None:
        """Boxes of a sequence fit its images only in the size that it states."""
        name, (width, height) = self._sequence.name, (self.info.width, self.info.height)
        first = read_first_image([*self._images.values()], name)
        if first.shape[:2] != (height, width):
            raise InputError(
                f"The images of '{name}' have {first.shape[1]}x{first.shape[0]} pixels, but its "
                f"{SEQUENCE_FILE} says {width}x{height}.",
                fix="Correct imWidth and imHeight, or restore the images.",
            )
        self._pictures.fit(first)
        self.counted["images_past_end"] = sum(
            index >= self._sequence.frames for index in self._images
        )

    @property
    def partial(self) -> bool:
        """Whether an image was missing or could not be read."""
        return self.counted["missing_images"] + self.counted["unreadable_images"] > 0

    def __iter__(self) -> Iterator[Frame]:
        size = (self.info.height, self.info.width, 3)
        black: Image = np.broadcast_to(np.uint8(0), size)
        for index in range(self._sequence.frames):
            if self.selection.is_past(index):
                return
            if self.selection.wants(index):
                image = self._read_picture(index) if self.info.has_pixels else black
                if image is not None:
                    yield Frame(index, index / self._sequence.fps, image)

    def _read_picture(self, index: int) -> Image | None:
        file = self._images.get(index)
        image = read_image(file, self._extra) if file is not None else None
        if image is None:
            self.counted["missing_images" if file is None else "unreadable_images"] += 1
            return None
        picture = self._pictures.fit(image)
        self.counted["size_changes"] = self._pictures.size_changes
        return picture
