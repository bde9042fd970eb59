"""Decoded frames of one container, read with libav; damage is counted, not hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TypeAlias, cast

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from mot_dinov3.errors import reason_of
from mot_dinov3.io.containers import packets_of, video_stream
from mot_dinov3.io.info import DEFAULT_FPS, sane_aspect, sane_fps
from mot_dinov3.io.read.stamps import PresentationStamps

Pictures: TypeAlias = "av.Packet[VideoStream]"

MOST_FAILURES_IN_A_ROW = 200
MOST_PLACES = 4
"""A rate so many times above that of the pictures is one of places, most of them empty."""
SILENCE = "nothing came in time"


class StreamDecoder:
    """Decodes the moving pictures of a container in order, once.

    Attributes:
        stream: what is decoded.
        faults: what was wrong so far: kind -> how often, zeros included.
        packets: packets of the stream that came so far.
        end_s: where the latest of them ends, in seconds on the container's clock.
        failure: the system's reason where reading broke off, "" where it came to an end.

    Raises:
        InputError: at birth, when there is no video stream that can be decoded.
    """

    def __init__(
        self, container: InputContainer, name: str, unwanted: Callable[[], bool] | None = None
    ) -> None:
        """Find the video stream; nothing is decoded yet.

        Args:
            container: an open container.
            name: how messages call it.
            unwanted: of a live source, whether the pictures are not wanted any more. It is asked
                at every packet, also of sound, so that a source whose pictures stand still can
                be left. None for a file.
        """
        self.stream = video_stream(container, name)
        self.faults: Counter[str] = Counter()
        self.packets = 0
        self.end_s = 0.0
        self.failure = ""
        self._container = container
        self._unwanted = unwanted
        self._stamps = PresentationStamps(container, self.stream)
        # Frame threads decode faster but hold pictures back: not on a live line.
        self.stream.thread_type = "AUTO" if unwanted is None else "SLICE"

    @property
    def fps(self) -> float:
        """Nominal rate of the stream; its codec's own where the container has no times."""
        average, guessed = self.stream.average_rate, self.stream.guessed_rate
        rates = [average, guessed]
        if not self._stamps.stamped:
            rates.insert(0, self.stream.codec_context.framerate)
        elif average and guessed and average > MOST_PLACES * guessed:
            rates.reverse()
        known = [float(rate) for rate in rates if rate]
        return next((rate for rate in known if sane_fps(rate) == rate), DEFAULT_FPS)

    @property
    def pixel_aspect(self) -> Fraction:
        """Width over height of a pixel as it is stored, not upright yet."""
        return sane_aspect(self.stream.sample_aspect_ratio)

    def stamp_s(self, frame: av.VideoFrame) -> float | None:
        """When a frame is to be shown, in seconds on the container's clock, if it says so."""
        return self._stamps.choose_s(frame)

    def __iter__(self) -> Iterator[av.VideoFrame]:
        """Every frame the decoder gives; damaged packets are passed over."""
        frames = self._decode_all()
        return frames if self._unwanted else self._stamps.settle(frames)

    def _decode_all(self) -> Iterator[av.VideoFrame]:
        failures = 0
        while failures < MOST_FAILURES_IN_A_ROW:
            try:
                for packet in self._demux():
                    self._note(packet)
                    frames = self._decode(packet)
                    failures = 0 if frames else failures
                    for frame in frames:
                        self.faults["corrupt_frames"] += frame.is_corrupt
                        yield frame
                return
            except av.InvalidDataError:
                self.faults["corrupt_packets"] += 1
                failures += 1
            except av.FFmpegError as error:
                self.faults["read_errors"] += 1
                timeout = isinstance(error, av.error.ExitError)
                self.failure = SILENCE if timeout else reason_of(error)
                return

    def _demux(self) -> Iterator[Pictures]:
        if self._unwanted is None:
            yield from cast("Iterator[Pictures]", packets_of(self._container, self.stream))
            return
        for packet in packets_of(self._container):
            if self._unwanted():
                return
            if packet.stream.index == self.stream.index:
                yield cast("Pictures", packet)

    def _decode(self, packet: Pictures) -> list[av.VideoFrame]:
        if not packet.size and packet.dts is not None:  # without a time it ends the stream
            return []  # a place without a picture: the one before stays
        try:
            return packet.decode()
        except av.EOFError:
            return []
        except av.FFmpegError:
            self.faults["corrupt_packets"] += 1
            return []

    def _note(self, packet: Pictures) -> None:
        if not packet.size:
            return
        self.packets += 1
        self._stamps.note(packet)
        self.faults["corrupt_packets"] += packet.is_corrupt
        if packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            self.end_s = max(self.end_s, float(end))
