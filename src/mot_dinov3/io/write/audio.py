"""The source's sound, copied packet by packet beside the new pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from mot_dinov3.errors import InputError
from mot_dinov3.io.containers import open_file, packets_of

Timed: TypeAlias = "tuple[float, av.Packet[AudioStream]]"


def has_sound(source: Path) -> bool:
    """Whether a file has a stream of sound; False for one that cannot be opened."""
    try:
        with open_file(source) as container:
            return any(stream.codec_context is not None for stream in container.streams.audio)
    except InputError:
        return False


class AudioCopy:
    """Remuxes the first audio stream of a file; whatever is wrong with it is never fatal.

    Attributes:
        notice: why the sound is missing or ends early, in words; "" while all is well.
        faults: kinds of trouble and how often each was met.
    """

    def __init__(self, source: Path) -> None:
        self.notice = ""
        self.faults: Counter[str] = Counter()
        self._input: InputContainer | None = None
        self._stream: AudioStream | None = None
        self._output: AudioStream | None = None
        self._packets: Iterator[Timed] = iter(())
        self._waiting: Timed | None = None
        try:
            self._input = open_file(source)
        except InputError as error:
            self.refuse(error.what)
            return
        streams = [s for s in self._input.streams.audio if s.codec_context is not None]
        if streams:
            self._stream = streams[0]
            self._packets = self._read(self._input, streams[0])

    def refuse(self, why: str) -> None:
        """Give the sound up and remember why."""
        self.notice = self.notice or why
        self.faults["audio_dropped"] = 1
        self._packets, self._waiting = iter(()), None

    def attach(self, container: OutputContainer) -> None:
        """Add the sound's stream to an output that is not started yet.

        Raises:
            ValueError, av.FFmpegError: its format does not take this codec.
        """
        if self._stream is not None:
            self._output = container.add_stream_from_template(self._stream)

    def mux_until(self, container: OutputContainer, time_s: float) -> None:
        """Mux every packet that starts before `time_s`, in seconds from the first picture.

        Raises:
            OSError: the disk refused; trouble with the sound itself only ends the sound.
        """
        try:
            while (timed := self._waiting or next(self._packets, None)) is not None:
                self._waiting = timed
                start_s, packet = timed
                if start_s >= time_s or self._output is None:
                    return
                self._waiting = None
                packet.stream = self._output
                container.mux(packet)
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            self.refuse("the sound of the source is damaged")

    def close(self) -> None:
        """Close the source."""
        self._packets, self._waiting = iter(()), None
        if self._input is not None:
            self._input.close()

    def _read(self, source: InputContainer, stream: AudioStream) -> Iterator[Timed]:
        """Packets and their start in seconds on the clock of the pictures, only forward."""
        base = stream.time_base or Fraction(1, av.time_base)
        shift = round(_start_s(source) / base)
        last_dts = -1
        for packet in cast("Iterator[av.Packet[AudioStream]]", packets_of(source, stream)):
            if packet.pts is None or packet.dts is None:
                continue
            packet.pts -= shift
            packet.dts -= shift
            if packet.pts < 0 or packet.dts <= last_dts:
                self.faults["audio_packets_skipped"] += packet.pts >= 0
                continue
            last_dts = packet.dts
            yield float(packet.pts * base), packet


def _start_s(source: InputContainer) -> Fraction:
    """When the first picture is shown, on the container's clock."""
    for stream in source.streams.video:
        if stream.start_time is not None and stream.time_base is not None:
            return stream.start_time * stream.time_base
    return Fraction(0)
