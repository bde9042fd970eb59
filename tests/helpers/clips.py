"""Small clips made on the spot: every frame tells its number, every corner its colour."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import Interpolation

TICKS = 90_000
RED, GREEN, BLUE, WHITE = (0, 0, 230), (0, 200, 0), (220, 0, 0), (235, 235, 235)


def numbered(index, width=64, height=48):
    """A BGR picture: red, green, blue, white in its corners and grey `level(index)` inside."""
    image = np.full((height, width, 3), level(index), np.uint8)
    h, w = height // 4, width // 4
    image[:h, :w], image[:h, -w:] = RED, GREEN
    image[-h:, :w], image[-h:, -w:] = BLUE, WHITE
    return image


def level(index):
    return 20 + (index * 6) % 220


def number_of(image):
    """The index that `numbered` put into a picture, modulo 36."""
    h, w = image.shape[:2]
    middle = image[h * 3 // 8 : h * 5 // 8, w * 3 // 8 : w * 5 // 8].mean()
    return round((middle - 20) / 6) % 36


def corners(image):
    """Names of the colours in the corners: top left, top right, bottom left, bottom right."""
    h, w = image.shape[0] // 8, image.shape[1] // 8
    spots = image[h, w], image[h, -w], image[-h, w], image[-h, -w]
    return "".join(_colour(spot.astype(int)) for spot in spots)


def _colour(bgr):
    known = {"R": RED, "G": GREEN, "B": BLUE, "W": WHITE}
    return min(known, key=lambda name: np.abs(bgr - known[name]).sum())


@dataclass
class Clip:
    """How a test clip is made; `sizes` and `times` are per frame."""

    frames: int = 12
    size: tuple[int, int] = (64, 48)
    fps: int = 25
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    times: tuple[float, ...] = ()
    rotation: int | None = None
    hflip: bool = False
    pixel_aspect: Fraction = Fraction(1)
    audio: str = ""
    video: bool = True
    options: tuple[tuple[str, str], ...] = ()
    muxer_options: tuple[tuple[str, str], ...] = ()


def make_clip(path, clip=None):
    """Write a clip and return its path."""
    clip = clip or Clip()
    with av.open(str(path), "w", container_options=dict(clip.muxer_options)) as container:
        video = _video_stream(container, clip) if clip.video else None
        audio = container.add_stream(clip.audio, rate=48000) if clip.audio else None
        if video is not None:
            for index in range(clip.frames):
                frame = av.VideoFrame.from_ndarray(numbered(index, *clip.size), format="bgr24")
                time_s = clip.times[index] if clip.times else index / clip.fps
                frame.time_base = video.codec_context.time_base
                frame.pts = round(time_s / frame.time_base)
                exact = Interpolation.BILINEAR | Interpolation.ACCURATE_RND
                frame = frame.reformat(format=clip.pix_fmt, interpolation=exact)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if audio is not None:
            _add_tone(container, audio, clip.frames / clip.fps)
    return path


def _video_stream(container, clip):
    ticks = Fraction(1, TICKS) if clip.codec in ("libx264", "libx265") else Fraction(1, clip.fps)
    stream = container.add_stream(clip.codec, rate=clip.fps, time_base=ticks)
    stream.codec_context.sample_aspect_ratio = clip.pixel_aspect
    stream.width, stream.height = clip.size
    stream.pix_fmt = clip.pix_fmt
    stream.options = dict(clip.options)
    if clip.rotation is not None:
        stream.set_display_rotation(clip.rotation, hflip=clip.hflip)
    return stream


def _add_tone(container, stream, seconds):
    count = int(seconds * 48000)
    wave = (np.sin(np.arange(count) * 2 * np.pi * 440 / 48000) * 8000).astype(np.int16)
    samples = np.repeat(wave[None], 2, axis=0).T.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16", layout="stereo")
    frame.sample_rate, frame.pts = 48000, 0
    resampler = av.AudioResampler(
        format=stream.codec_context.format, layout="stereo", rate=48000,
        frame_size=stream.codec_context.frame_size or 1024,
    )  # fmt: skip
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


def read_back(path):
    """Every frame of a file as (seconds, BGR image), read without the code under test."""
    with av.open(str(path)) as container:
        return [
            (float(frame.time), frame.to_ndarray(format="bgr24"))
            for frame in container.decode(video=0)
        ]
