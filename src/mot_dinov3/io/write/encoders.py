"""Which encoder and muxer write a video: by suffix, the best one that this build has."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import ThreadType
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from mot_dinov3.errors import OutputError
from mot_dinov3.runtime.device import may_have_gpu

NVENC = "h264_nvenc"
"""NVIDIA's encoder in hardware: it leaves the processor to everything else."""
TICKS_PER_S = 90_000
KEYFRAME_EVERY_S = 4
PIECE_FRAMES = 2
"""Frames that a muxer may collect: what it holds is lost when the run is killed.

For the same reason x264 looks 3 frames ahead, not 10, and the writer's queue is short: no more than
15 frames are lost."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """One encoder of libav and how it is set: real time on few cores, no reordered frames."""

    name: str
    options: dict[str, str] = field(default_factory=dict)
    ticks_per_s: int = TICKS_PER_S


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """A file format: its muxer, the muxer's options and its encoders, best first.

    Attributes:
        frame_ticks: timestamps count frames, so the rate is constant.
        pieces: the muxer's option for the length of the pieces in which it writes, and the
            unit of that as a part of a second; none where every frame is written at once.
    """

    muxer: str
    encoders: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)
    frame_ticks: bool = False
    pieces: tuple[str, int] | None = None

    def muxer_options(self, fps: float) -> dict[str, str]:
        """The muxer's options for a file of so many frames a second."""
        if self.pieces is None:
            return dict(self.options)
        name, per_s = self.pieces
        return {**self.options, name: str(round(PIECE_FRAMES / fps * per_s))}


ENCODERS = {
    NVENC: Encoder(NVENC, {"preset": "p4", "rc": "vbr", "cq": "23", "b": "0", "bf": "0"}),
    "libx264": Encoder(
        "libx264",
        {
            "preset": "veryfast",
            "crf": "22",
            "bf": "0",
            "x264-params": "subme=1:me=dia:rc-lookahead=3:sync-lookahead=0",
        },
    ),
    "libopenh264": Encoder("libopenh264", {"allow_skip_frames": "0"}),
    "libvpx-vp9": Encoder(
        "libvpx-vp9",
        {
            "deadline": "realtime",
            "cpu-used": "8",
            "row-mt": "1",
            "crf": "33",
            "b": "0",
            "lag-in-frames": "0",
        },
    ),
    "libvpx": Encoder("libvpx", {"deadline": "realtime", "cpu-used": "8", "crf": "12", "b": "4M"}),
    "mpeg4": Encoder("mpeg4", {"flags": "+qscale", "global_quality": "590"}, 60_000),
}

_ANY = ("libx264", "libopenh264", "libvpx-vp9", "mpeg4")
_HYBRID = {"movflags": "hybrid_fragmented"}
_FRAGMENTS, _CLUSTERS = ("frag_duration", 1_000_000), ("cluster_time_limit", 1000)
FORMATS = {
    ".mp4": VideoFormat("mp4", _ANY, _HYBRID, pieces=_FRAGMENTS),
    ".m4v": VideoFormat("mp4", _ANY, _HYBRID, pieces=_FRAGMENTS),
    ".mov": VideoFormat("mov", _ANY, _HYBRID, pieces=_FRAGMENTS),
    ".mkv": VideoFormat("matroska", _ANY, pieces=_CLUSTERS),
    ".webm": VideoFormat("webm", ("libvpx-vp9", "libvpx"), pieces=_CLUSTERS),
    ".avi": VideoFormat("avi", ("mpeg4",), frame_ticks=True),
}


def format_of(path: Path) -> VideoFormat:
    """The file format that a video's suffix asks for.

    Raises:
        OutputError: the suffix is unknown.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise OutputError(
            f"Videos named '*{path.suffix}' cannot be written ('{path}')."
            if path.suffix
            else f"The output '{path}' has no suffix, so its format is unknown.",
            fix=f"Use one of: {', '.join(FORMATS)}.",
        ) from None


def encoders_for(kind: VideoFormat, size: tuple[int, int]) -> tuple[str, ...]:
    """Names of a format's encoders, best first; a GPU's where it opens for pictures of `size`."""
    if "libx264" in kind.encoders and may_have_gpu() and can_open(ENCODERS[NVENC], size):
        return (NVENC, *kind.encoders)
    return kind.encoders


def can_open(encoder: Encoder, size: tuple[int, int]) -> bool:
    """Whether this build, driver and card really encode pictures of `size` with it."""
    try:
        context = av.CodecContext.create(encoder.name, "w")
        if not isinstance(context, VideoCodecContext):
            return False
        context.width, context.height = size
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, encoder.ticks_per_s)
        context.options = encoder.options
        context.open()
    except (av.FFmpegError, ValueError):
        return False
    return True


def encoder_threads() -> int:
    """Half the processors and at most 4: the rest belongs to the models."""
    return max(1, min(4, (os.cpu_count() or 1) // 2))


class WholeWrites(io.FileIO):
    """A file whose `write` takes all it is given or raises: libav does not notice a short write."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Write every byte of `data`."""
        left = memoryview(data)
        while left:
            left = left[super().write(left) :]
        return len(data)


def open_container(file: WholeWrites, kind: VideoFormat, fps: float) -> OutputContainer:
    """Open a container that writes to `file` from its start, a few frames at a time."""
    file.seek(0)
    file.truncate()
    piece_us = str(max(1, round(PIECE_FRAMES / fps * 1_000_000)))
    options = {"flush_packets": "1", "max_interleave_delta": piece_us, **kind.muxer_options(fps)}
    return av.open(file, "w", format=kind.muxer, container_options=options)


def add_video(
    container: OutputContainer,
    encoder: Encoder,
    size: tuple[int, int],
    rate: Fraction,
    ticks: Fraction,
) -> VideoStream:
    """Add a video stream, not opened yet.

    Args:
        container: an output that is not started.
        encoder: what encodes.
        size: width and height in pixels, both even.
        rate: nominal frames per second.
        ticks: the unit of its timestamps, in seconds.

    Raises:
        ValueError, av.FFmpegError: the build lacks the encoder, or the file does not take it.
    """
    stream = container.add_stream(
        encoder.name,
        rate=rate,
        options=encoder.options,
        width=size[0],
        height=size[1],
        time_base=ticks,
    )
    if not isinstance(stream, VideoStream):
        raise ValueError(f"{encoder.name} is not a video encoder")
    context = stream.codec_context
    context.pix_fmt = "yuv420p"
    context.gop_size = max(1, round(rate * KEYFRAME_EVERY_S))
    context.thread_count = encoder_threads()
    context.thread_type = ThreadType.FRAME
    if encoder.name == "libopenh264":
        context.bit_rate = int(size[0] * size[1] * min(float(rate), 60.0) / 8) + 200_000
    return stream
