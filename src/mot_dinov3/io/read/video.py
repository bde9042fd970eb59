"""Frames of a video file, read to its end; what is damaged or missing is counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import av
from av.container import InputContainer

from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.io.pictures import PictureMaker
from mot_dinov3.io.read.clock import FrameClock
from mot_dinov3.io.read.decoding import StreamDecoder
from mot_dinov3.io.read.selection import FrameSelection
from mot_dinov3.io.truncation import describe_damage
from mot_dinov3.values import Frame, Image

DAMAGE = ("corrupt_packets", "corrupt_frames", "missing_frames", "truncated", "read_errors")


class VideoReader:
    """Reads one file; the first frame is decoded at birth, so the size is certain.

    Raises:
        InputError: at birth, when there is no video stream or not one frame can be decoded; at
            the end of the iteration, when the source ends before `--start-frame`.
    """

    def __init__(
        self, container: InputContainer, path: Path | None, name: str, config: SourceConfig
    ) -> None:
        """Decode the first frame.

        Args:
            container: the open file.
            path: where it is, None where it comes through a pipe.
            name: how messages call it.
            config: which frames are wanted.
        """
        self._container = container
        self._path, self._name = path, name
        self._selection = FrameSelection(config)
        self._pictures = PictureMaker()
        try:
            self._decoder = StreamDecoder(container, name)
            self._faults = self._decoder.faults
            self._clock = FrameClock(self._decoder.fps)
            self._decoded = iter(self._decoder)
            self._first = self._decode_first()
        except BaseException:
            container.close()
            raise
        self.info = self._describe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing it again does nothing."""
        self._decoded = iter(())
        self._container.close()

    @property
    def faults(self) -> Counter[str]:
        """What was wrong with the input so far, kind -> how often; only what was met."""
        return +self._faults

    @property
    def partial(self) -> bool:
        """Whether frames are missing or damaged."""
        return any(self._faults[kind] for kind in DAMAGE)

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        stamp_s, picture = self._first
        self._first = (None, picture[:0])
        time_s = self._clock.convert(stamp_s)
        if self._selection.wants(0):
            yield Frame(0, time_s, picture)
        while not self._selection.is_past(index + 1):
            frame = next(self._decoded, None)
            if frame is None:
                self._count_missing()
                self._selection.require_start(self._name, index + 1)
                return
            index += 1
            time_s = self._clock.convert(self._decoder.stamp_s(frame))
            self._faults["bad_timestamps"] = self._clock.bad
            if not self._selection.wants(index):
                continue
            image = self._convert(frame)
            if image is not None:
                yield Frame(index, time_s, image)

    def _decode_first(self) -> tuple[float | None, Image]:
        for frame in self._decoded:
            picture = self._convert(frame)
            if picture is not None:
                return self._decoder.stamp_s(frame), picture
        wound = self._describe_wound()
        raise InputError(
            f"'{self._name}' {wound or 'holds no frame that can be decoded'}.",
            fix="Copy or record it again, and check that it plays elsewhere.",
        )

    def _convert(self, frame: av.VideoFrame) -> Image | None:
        try:
            picture = self._pictures.from_frame(frame)
        except (av.FFmpegError, ValueError):
            self._faults["corrupt_frames"] += 1
            return None
        self._faults["size_changes"] = self._pictures.size_changes
        return picture

    def _describe(self) -> SourceInfo:
        width, height = self._pictures.size or (0, 0)
        fps = self._decoder.fps
        places = self._decoder.stream.frames if fps == self._decoder.stream.average_rate else 0
        count = places or round(self._read_declared_s() * fps)
        return SourceInfo(
            name=self._name,
            width=width,
            height=height,
            fps=fps,
            frame_count=max(0, count),
            is_live=False,
            path=self._path,
            pixel_aspect=self._pictures.turn_aspect(self._decoder.pixel_aspect),
        )

    def _read_declared_s(self) -> float:
        """How long the container says the video is, in seconds; 0 when it does not say."""
        stream = self._decoder.stream
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        if tag := re.match(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", "")):
            return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
        alone = len(self._container.streams) == 1
        return (self._container.duration or 0) / av.time_base if alone else 0.0

    def _count_missing(self) -> None:
        """Judge a file that was read to its end.

        A declared length alone proves nothing: it counts places in time, which may be empty, and
        the time for which the last picture is held. Sizes in bytes prove that an end is missing.
        """
        if self._describe_wound() or self._is_indexed_beyond_end():
            self._faults["truncated"] += 1
            stream = self._decoder.stream
            counted_s = float(stream.frames / stream.average_rate) if stream.average_rate else 0.0
            missing_s = max(self._read_declared_s(), counted_s) - self._decoder.end_s
            self._faults["missing_frames"] += max(0, round(missing_s * self.info.fps))

    def _describe_wound(self) -> str:
        """What is missing from the file, by the sizes in it; "" where nothing is known."""
        return describe_damage(self._path) if self._path is not None else ""

    def _is_indexed_beyond_end(self) -> bool:
        """Whether the last picture of the container's index lies beyond the end of the file."""
        if self._path is None:
            return False
        index = self._decoder.stream.index_entries
        last = index[len(index) - 1] if len(index) else None
        return last is not None and last.pos + last.size > self._path.stat().st_size
