"""Frames of a video file, a camera or a stream, read with libav; damage is counted, not hidden."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.clock import FrameClock
from mot_dinov3.io.containers import video_stream
from mot_dinov3.io.info import SourceInfo, sane_fps
from mot_dinov3.io.pictures import PictureMaker
from mot_dinov3.io.selection import FrameSelection
from mot_dinov3.io.truncation import damage
from mot_dinov3.structures import Frame, Image

MOST_FAILURES_IN_A_ROW = 200
DAMAGE = ("corrupt_packets", "corrupt_frames", "missing_frames", "truncated", "read_errors")
DURATION_FORMATS = ("matroska", "flv")
"""Formats that write the length in their head, so that a missing tail shows."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a container came from: its printable name, its file if any, whether it is live."""

    name: str
    path: Path | None = None
    is_live: bool = False


class VideoReader:
    """Reads one container; the first frame is decoded at birth, so the size is certain.

    Raises:
        InputError: at birth, when there is no video stream or not one frame can be decoded; at
            the end of the iteration, when the source ends before `--start-frame`.
    """

    def __init__(self, container: InputContainer, origin: Origin, config: SourceConfig) -> None:
        self._faults: Counter[str] = Counter()
        self._container = container
        self._origin = origin
        self._config = config
        self._selection = FrameSelection(config)
        self._pictures = PictureMaker()
        self._packets_seen = 0
        self._end_s = 0.0
        try:
            self._stream = video_stream(container, origin.name)
            # Frame threads decode faster but hold pictures back: not on a live line.
            self._stream.thread_type = "SLICE" if origin.is_live else "AUTO"
            self._clock = FrameClock(self._fps())
            self._decoded = self._decode()
            self._first = self._first_picture()
        except BaseException:
            container.close()
            raise
        self.info = self._describe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the source; more than once does no harm."""
        self._decoded.close()
        self._container.close()

    @property
    def faults(self) -> Counter[str]:
        """What was wrong with the input so far, kind -> how often; only what was met."""
        return +self._faults

    @property
    def partial(self) -> bool:
        """Whether frames are missing or damaged; losses on a live line are its nature."""
        kinds = ("read_errors",) if self._origin.is_live else DAMAGE
        return any(self._faults[kind] for kind in kinds)

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        stamp_s, picture = self._first
        self._first = (None, picture[:0])
        time_s = self._clock.tell(stamp_s)
        if self._selection.wants(0):
            yield Frame(0, time_s, picture)
        while not self._selection.is_past(index + 1):
            frame = next(self._decoded, None)
            if frame is None:
                self._at_the_end(index + 1)
                return
            index += 1
            time_s = self._clock.tell(self._stamp_s(frame))
            self._faults["bad_timestamps"] = self._clock.bad
            if not self._selection.wants(index):
                continue
            image = self._picture(frame)
            if image is not None:
                yield Frame(index, time_s, image)

    def _first_picture(self) -> tuple[float | None, Image]:
        for frame in self._decoded:
            picture = self._picture(frame)
            if picture is not None:
                return self._stamp_s(frame), picture
        wound = damage(self._origin.path) if self._origin.path else ""
        raise InputError(
            f"'{self._origin.name}' {wound or 'holds no frame that can be decoded'}.",
            fix="Copy or record it again, and check that it plays elsewhere.",
        )

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        """Every frame the decoder gives; damaged packets are counted and passed over."""
        failures = 0
        while failures < MOST_FAILURES_IN_A_ROW:
            try:
                for packet in self._container.demux(self._stream):
                    self._note(packet)
                    frames = self._decode_packet(packet)
                    failures = 0 if frames else failures
                    for frame in frames:
                        self._faults["corrupt_frames"] += frame.is_corrupt
                        yield frame
                return
            except av.InvalidDataError:
                self._faults["corrupt_packets"] += 1
                failures += 1
            except av.FFmpegError:
                self._faults["read_errors"] += 1
                return

    def _decode_packet(self, packet: av.Packet[VideoStream]) -> list[av.VideoFrame]:
        try:
            return packet.decode()
        except av.EOFError:
            return []
        except av.FFmpegError:
            self._faults["corrupt_packets"] += 1
            return []

    def _note(self, packet: av.Packet[VideoStream]) -> None:
        if not packet.size:
            return
        self._packets_seen += 1
        self._faults["corrupt_packets"] += packet.is_corrupt
        if packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            self._end_s = max(self._end_s, float(end))

    def _picture(self, frame: av.VideoFrame) -> Image | None:
        try:
            picture = self._pictures.from_frame(frame)
        except (av.FFmpegError, ValueError):
            self._faults["corrupt_frames"] += 1
            return None
        self._faults["size_changes"] = self._pictures.size_changes
        return picture

    def _stamp_s(self, frame: av.VideoFrame) -> float | None:
        stamp = frame.pts if frame.pts is not None else frame.dts
        base = self._stream.time_base
        return None if stamp is None or base is None else float(stamp * base)

    def _fps(self) -> float:
        rate = self._stream.average_rate or self._stream.guessed_rate
        return sane_fps(float(rate) if rate else None)

    def _describe(self) -> SourceInfo:
        width, height = self._pictures.size or (0, 0)
        fps = self._fps()
        count = self._stream.frames or round(self._declared_s() * fps)
        return SourceInfo(
            name=self._origin.name,
            width=width,
            height=height,
            fps=fps,
            frame_count=0 if self._origin.is_live else max(0, count),
            is_live=self._origin.is_live,
            path=self._origin.path,
        )

    def _declared_s(self) -> float:
        """How long the container says the video is, in seconds; 0 when it does not say."""
        stream = self._stream
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        if tag := re.match(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", "")):
            return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
        alone = len(self._container.streams) == 1
        return (self._container.duration or 0) / av.time_base if alone else 0.0

    def _at_the_end(self, frames_seen: int) -> None:
        """Ask whether this was really the end, and whether anything was tracked at all."""
        if not self._origin.is_live:
            self._count_what_is_missing()
        if self._config.start_frame >= frames_seen:
            raise InputError(
                f"'{self._origin.name}' ends after {frames_seen} frames, before --start-frame "
                f"{self._config.start_frame}.",
                fix="Give a smaller --start-frame.",
            )

    def _count_what_is_missing(self) -> None:
        missing = self._stream.frames - self._packets_seen
        if not self._stream.frames and self._container.format.name.startswith(DURATION_FORMATS):
            missing_s = self._declared_s() - self._end_s
            missing = round(missing_s * self._fps()) if missing_s > 0.1 else 0
        self._faults["missing_frames"] += max(0, missing)
        cut = self._origin.path is not None and bool(damage(self._origin.path))
        self._faults["truncated"] += cut or missing > 0
