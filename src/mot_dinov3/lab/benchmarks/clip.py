"""A short copy of the source in a size of its own, so that all programs read the same file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.values import Image


@dataclass(frozen=True, slots=True)
class ShortClip:
    """A video file, how many frames it has, and their width and height."""

    path: Path
    frames: int
    wh: tuple[int, int]


def write_short_clip(context: BenchmarkContext, frames: int, width: int = 0) -> ShortClip:
    """Write the first frames of the source, scaled to `width` pixels where that is not 0.

    Raises:
        MotError: the source cannot be read.
    """
    path = context.directory / f"clip-{width or 'whole'}.mp4"
    size, count = (0, 0), 0
    with (
        context.open_reader() as reader,
        VideoWriter(VideoWriterConfig(path, reader.info.fps)) as writer,
    ):
        for frame in reader:
            image = scale_picture(frame.image, width)
            size = (image.shape[1], image.shape[0])
            writer.write(image, frame.time_s)
            count += 1
            if count == frames:
                break
    return ShortClip(path, count, size)


def scale_picture(image: Image, width: int) -> Image:
    """Scale to `width` pixels across, the height even and in proportion; 0 leaves it as it is."""
    if not width or image.shape[1] == width:
        return image
    height = round(image.shape[0] * width / image.shape[1] / 2) * 2
    shrinks = width < image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)
