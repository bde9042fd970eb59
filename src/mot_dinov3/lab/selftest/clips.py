"""Small valid clips of many kinds, made on the spot: the material of the mutations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from mot_dinov3.values import Image

FPS = 25
SOUND_HZ = 48_000
LOSSLESS = "ffv1"
"""An encoder that takes pictures of any size."""


@dataclass(frozen=True, slots=True)
class ClipKind:
    """How a clip is coded and packed.

    Attributes:
        name: of its file; the suffix chooses the container.
        codec: libav's name of the video encoder.
        options: of the encoder.
        muxer: options of the container.
        sound: libav's name of the sound's encoder, "" for none.
        rotation: degrees in the display matrix.
        gaps: frames of `FPS` from each picture to the next one, over and over.
    """

    name: str
    codec: str = "libx264"
    options: tuple[tuple[str, str], ...] = ()
    muxer: tuple[tuple[str, str], ...] = ()
    sound: str = ""
    rotation: int = 0
    gaps: tuple[int, ...] = (1,)

    def gap(self, index: int) -> int:
        """How long picture `index` is shown, in frames of `FPS`."""
        return self.gaps[index % len(self.gaps)]


_FAST_START = (("movflags", "faststart"),)
_FRAGMENTS = (("movflags", "frag_keyframe+empty_moov"),)
_FRAMES_BACK = (("bf", "2"), ("g", "8"))
_QUICK_VPX = (("deadline", "realtime"), ("cpu-used", "8"))

KINDS = (
    ClipKind("plain.mp4"),
    ClipKind("sound.mp4", options=_FRAMES_BACK, muxer=_FAST_START, sound="aac"),
    ClipKind("fragments.mp4", options=(("g", "6"),), muxer=_FRAGMENTS),
    ClipKind("turned.mp4", codec="mpeg4", muxer=_FAST_START, rotation=90),
    ClipKind("hevc.mp4", codec="libx265", options=(("x265-params", "log-level=none"),)),
    ClipKind("plain.mkv", options=_FRAMES_BACK),
    ClipKind("sound.mkv", codec="mpeg4", sound="aac"),
    ClipKind("live.mkv", codec="libvpx-vp9", options=_QUICK_VPX, muxer=(("live", "1"),)),
    ClipKind("plain.ts"),
    ClipKind("sound.ts", codec="mpeg2video", sound="mp2"),
    ClipKind("vp9.webm", codec="libvpx-vp9", options=_QUICK_VPX),
    ClipKind("vp8.webm", codec="libvpx", options=_QUICK_VPX, sound="libopus"),
)


def make_clips(directory: Path, frames: int = 12, size: tuple[int, int] = (64, 48)) -> list[Path]:
    """Make one clip of every kind whose encoders this build has; at least the plain ones."""
    kinds = [
        kind for kind in KINDS if {kind.codec, kind.sound or kind.codec} <= av.codecs_available
    ]
    return [make_clip(directory / kind.name, kind, frames, size) for kind in kinds]


def make_clip(path: Path, kind: ClipKind, frames: int, size: tuple[int, int]) -> Path:
    """Write `frames` pictures of `size` (width, height), and sound if the kind has any."""
    with av.open(str(path), "w", container_options=dict(kind.muxer)) as container:
        stream = cast("VideoStream", container.add_stream(kind.codec, rate=FPS))
        stream.options = dict(kind.options)
        stream.width, stream.height = size
        stream.pix_fmt = "bgr0" if kind.codec == LOSSLESS else "yuv420p"
        if kind.rotation:
            stream.set_display_rotation(kind.rotation)
        sound = None
        if kind.sound:
            sound = cast("AudioStream", container.add_stream(kind.sound, rate=SOUND_HZ))
        shown = 0
        for index, image in enumerate(draw_pictures(frames, size)):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = shown, Fraction(1, FPS)
            container.mux(stream.encode(frame))
            shown += kind.gap(index)
        container.mux(stream.encode(None))
        if sound is not None:
            _add_tone(container, sound, shown / FPS)
    return path


def draw_pictures(frames: int, size: tuple[int, int]) -> Iterator[Image]:
    """Draw a bright square that walks over noise, as (height, width, 3) uint8 BGR."""
    width, height = size
    ground = np.random.default_rng(0).integers(0, 80, (height, width, 3), np.uint8)
    side = max(2, min(size) // 3)
    for index in range(frames):
        image = ground.copy()
        left = (index * max(1, width // 32)) % max(1, width - side)
        image[side // 2 : side // 2 + side, left : left + side] = 230
        yield image


def _add_tone(container: OutputContainer, stream: AudioStream, seconds: float) -> None:
    count = int(seconds * SOUND_HZ)
    wave = (np.sin(np.arange(count) * 2 * np.pi * 440 / SOUND_HZ) * 8000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = SOUND_HZ, 0
    coder = stream.codec_context
    resampler = av.AudioResampler(
        coder.format, coder.layout, SOUND_HZ, frame_size=coder.frame_size or 1024
    )
    for piece in (*resampler.resample(frame), *resampler.resample(None)):
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))
