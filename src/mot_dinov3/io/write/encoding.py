"""One video file being encoded and muxed; used from a single thread."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from mot_dinov3.errors import OutputError
from mot_dinov3.io.info import SQUARE
from mot_dinov3.io.pictures import HD_HEIGHT, letterbox
from mot_dinov3.io.write.audio import AudioCopy
from mot_dinov3.io.write.encoders import (
    ENCODERS,
    Encoder,
    VideoFormat,
    WholeWrites,
    add_video,
    encoders_for,
    open_container,
)
from mot_dinov3.values import Image

AVCOL_BT709 = 1
AVCOL_SPC_SMPTE170M = 6
AVCOL_RANGE_LIMITED = 1
LEAST_SHARED_HEIGHT = 4
"""Lower pictures are copied: libav takes no planes of one line from outside."""

RED, BLUE = 0.2126, 0.0722
"""Share of red and of blue in the brightness (ITU-R BT.709)."""

GREEN = 1 - RED - BLUE
LIGHTEST, CHROMA, NEUTRAL, DARKEST = 219, 112, 128, 16
"""Limited range: how far brightness and half of a colour reach, the middle of a colour, black."""

TO_BT709 = np.array(
    [
        [LIGHTEST * BLUE, LIGHTEST * GREEN, LIGHTEST * RED, 255 * DARKEST],
        [CHROMA, -CHROMA * GREEN / (1 - BLUE), -CHROMA * RED / (1 - BLUE), 255 * NEUTRAL],
        [-CHROMA * BLUE / (1 - RED), -CHROMA * GREEN / (1 - RED), CHROMA, 255 * NEUTRAL],
    ],
    np.float32,
) / np.float32(255)
"""Rows Y, Cb, Cr over blue, green, red and 1."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How pictures are shown.

    Attributes:
        size: width and height in pixels.
        pixel_aspect: width over height of a pixel.
    """

    size: tuple[int, int]
    pixel_aspect: Fraction = SQUARE


@dataclass(frozen=True, slots=True)
class Output:
    """An open file with its streams; `ticks` is the unit of the video's timestamps in seconds."""

    container: OutputContainer
    stream: VideoStream
    ticks: Fraction
    codec: str
    audio: AudioCopy | None


class Encoding:
    """Encodes BGR pictures with their times into one file.

    Attributes:
        codec: the encoder that runs.
    """

    def __init__(
        self,
        path: Path,
        kind: VideoFormat,
        fps: float,
        shape: Shape,
        audio: AudioCopy | None,
    ) -> None:
        self.size = size = shape.size
        self._pixel_aspect = shape.pixel_aspect
        self._even = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._fps = fps
        self._audio = audio
        self._first_s: float | None = None
        self._last_tick = -1
        self._file = WholeWrites(path, "wb")
        output = self._open(path, kind)
        if audio is not None and output.audio is None:
            audio.refuse(f"sound of this kind does not go into '{path.suffix}'")
        self._container, self._stream = output.container, output.stream
        self._ticks, self.codec, self._audio = output.ticks, output.codec, output.audio

    def add(self, image: Image, time_s: float) -> None:
        """Encode one picture, shown from `time_s` (seconds on the source's clock)."""
        if self._first_s is None:
            self._first_s = time_s
        tick = round((time_s - self._first_s) / self._ticks)
        self._last_tick = max(tick, self._last_tick + 1)
        frame = self._convert(image)
        frame.pts, frame.time_base = self._last_tick, self._ticks
        self._mux(frame)

    def finish(self) -> None:
        """Write what the encoder still holds, the last sound and the index."""
        self._mux(None)
        if self._audio is not None:
            end_s = float((self._last_tick + self._frame_ticks) * self._ticks)
            self._audio.mux_until(self._container, end_s)
        self._container.close()
        self._file.close()

    def abandon(self) -> None:
        """Let go of the file after a failure; what was written stays, and stays playable.

        The index is left unwritten: it would replace the fragments that a player can use, and
        libav crashes when it writes one for no frames at all.
        """
        self._file.close()
        self._container.close()

    @property
    def _frame_ticks(self) -> int:
        return max(1, round(1 / (self._fps * self._ticks)))

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._frame_ticks
            if self._audio is not None and packet.pts is not None:
                self._audio.mux_until(self._container, float(packet.pts * self._ticks))
            self._container.mux(packet)

    def _convert(self, image: Image) -> av.VideoFrame:
        """Even-sized yuv420p in limited range; the matrix is the one players assume."""
        if (image.shape[1], image.shape[0]) != self.size:
            image = letterbox(image, self.size)
        right, below = self._even[0] - self.size[0], self._even[1] - self.size[1]
        if right or below:
            image = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
        planes = convert_to_yuv(image, bt709=self._is_hd)
        tiny = self._even[1] < LEAST_SHARED_HEIGHT
        wrap = av.VideoFrame.from_ndarray if tiny else av.VideoFrame.from_numpy_buffer
        return wrap(planes, format="yuv420p")

    @property
    def _is_hd(self) -> bool:
        return self._even[1] >= HD_HEIGHT

    def _open(self, path: Path, kind: VideoFormat) -> Output:
        """Open the first encoder of the format that works here, with sound if the file takes it."""
        sounds = (self._audio, None) if self._audio is not None else (None,)
        encoders = encoders_for(kind, self._even)
        for name, sound in itertools.product(encoders, sounds):
            try:
                container = open_container(self._file, kind, self._fps)
                return self._start(container, kind, ENCODERS[name], sound)
            except (av.FFmpegError, ValueError) as error:
                if isinstance(error, OSError):
                    self._file.close()
                    raise
        self._file.close()
        raise OutputError(
            f"No video encoder for '{path.suffix}' works here (tried {', '.join(encoders)}).",
            fix="Install a full build of PyAV (pip install av), or give --no-video.",
        )

    def _start(
        self,
        container: OutputContainer,
        kind: VideoFormat,
        encoder: Encoder,
        sound: AudioCopy | None,
    ) -> Output:
        rate = Fraction(self._fps).limit_denominator(1001)
        ticks = 1 / rate if kind.frame_ticks else Fraction(1, encoder.ticks_per_s)
        stream = add_video(container, encoder, self._even, rate, ticks)
        context = stream.codec_context
        context.sample_aspect_ratio = self._pixel_aspect
        context.color_range = AVCOL_RANGE_LIMITED
        context.color_primaries = context.color_trc = AVCOL_BT709
        context.colorspace = AVCOL_BT709 if self._is_hd else AVCOL_SPC_SMPTE170M
        context.open()
        if sound is not None:
            sound.attach(container)
        container.start_encoding()
        return Output(container, stream, ticks, encoder.name, sound)


def convert_to_yuv(image: Image, *, bt709: bool) -> Image:
    """Convert a picture to the planes that encoders take: YUV 4:2:0 in limited range.

    Returns (H * 3 / 2, W) uint8: brightness, then a quarter each of Cb and Cr, one below the other.

    Args:
        image: (H, W, 3) uint8 BGR, of even height and width.
        bt709: by the matrix of ITU-R BT.709, else by that of BT.601.
    """
    if not bt709:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)
    height, width = image.shape[:2]
    whole = cv2.transform(image, TO_BT709)
    small = cv2.resize(whole, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    out = np.empty((height * 3 // 2, width), np.uint8)
    cv2.extractChannel(whole, 0, out[:height])
    for channel, plane in enumerate(out[height:].reshape(2, height // 2, width // 2), 1):
        cv2.extractChannel(small, channel, plane)
    return out
