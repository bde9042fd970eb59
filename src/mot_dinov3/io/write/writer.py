"""The video writer: a thread that encodes, and a file that gets its name when it is whole."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Self

import av

from mot_dinov3.errors import OutputError
from mot_dinov3.io.info import SQUARE, sane_fps
from mot_dinov3.io.write.audio import AudioCopy
from mot_dinov3.io.write.encoders import VideoFormat, format_of
from mot_dinov3.io.write.encoding import Encoding, Shape
from mot_dinov3.io.write.paths import cannot_finish, publish, reserve_partial
from mot_dinov3.runtime.distribution import Distribution
from mot_dinov3.values import Image

QUEUE_FRAMES = 4
"""Enough to even out; what waits is lost when the run is killed."""


@dataclass(frozen=True, slots=True)
class VideoWriterConfig:
    """Where a video goes and how it is timed.

    Attributes:
        path: the final name; its suffix chooses the format.
        fps: nominal rate, for the header and for how long the last frame shows.
        audio_from: a file whose sound is copied, or None.
        replace: whether an existing file gives way to the finished one.
        pixel_aspect: width over height at which a pixel is meant to be shown.
    """

    path: Path
    fps: float
    audio_from: Path | None = None
    replace: bool = True
    pixel_aspect: Fraction = SQUARE


class VideoWriter:
    """Writes BGR frames as a video that any browser plays, encoded in a thread of its own.

    The file grows under a partial name that a player opens even if the process is killed; it is
    finished and takes its final name when the context ends, also after an exception.

    Attributes:
        codec: the encoder that runs, "" before the first frame.
        frames: how many frames were taken.
        encode_ms: encoding time of each frame, measured in its thread.
        queue_wait_ms: how long each `write` waited for the encoder.
        partial: where the file grows, None while it is not open.
        written: the final path once it exists; None when nothing was written.
        notice: why the sound was left out, "" if it was not.
        faults: trouble with the sound: kind -> how often.
    """

    def __init__(self, config: VideoWriterConfig) -> None:
        self.config = config
        self.codec = ""
        self.frames = 0
        self.encode_ms = Distribution()
        self.queue_wait_ms = Distribution()
        self.written: Path | None = None
        self.notice = ""
        self.faults: Counter[str] = Counter()
        self._format: VideoFormat = format_of(config.path)
        self._queue: queue.Queue[tuple[Image, float] | None] = queue.Queue(QUEUE_FRAMES)
        self._failure: Exception | None = None
        self.partial: Path | None = None
        self._place = config.path
        self._thread = threading.Thread(target=self._run, name="video-writer", daemon=True)

    def __enter__(self) -> Self:
        self.partial = self._place = reserve_partial(self.config.path)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except OutputError as problem:
            if error is None or not isinstance(error, Exception):
                raise
            error.add_note(str(problem))

    def write(self, image: Image, time_s: float) -> None:
        """Queue one frame.

        Args:
            image: (H, W, 3) uint8 BGR; the first one sets the size of the video. It is not
                copied: from now on its pixels must stay as they are.
            time_s: when it is shown, on the source's clock; must not go back.

        Raises:
            OutputError: an earlier frame could not be written.
        """
        if self.partial is None:
            raise ValueError("VideoWriter is written outside its context")
        self._raise_failure()
        started = perf_counter()
        self._queue.put((image, time_s))
        self.queue_wait_ms.add((perf_counter() - started) * 1000)
        self.frames += 1

    def close(self) -> None:
        """Finish the file and give it its name; closing it again does nothing.

        Raises:
            OutputError: it could not be finished; what was written stays under the partial name.
        """
        partial, self.partial = self.partial, None
        if partial is None:
            return
        self._queue.put(None)
        self._thread.join()
        try:
            empty = self.frames == 0 or partial.stat().st_size == 0
            if empty:
                partial.unlink(missing_ok=True)
        except OSError as error:
            self._raise_failure()
            raise cannot_finish(partial, self.config.path, error) from error
        self._raise_failure()
        if empty:
            return
        publish(partial, self.config.path, self.config.replace)
        self.written = self.config.path

    def _raise_failure(self) -> None:
        failure = self._failure
        if failure is None:
            return
        if isinstance(failure, OutputError):
            raise failure
        if isinstance(failure, OSError):
            raise cannot_finish(self._place, self.config.path, failure) from failure
        raise OutputError(
            f"The video '{self.config.path}' cannot be encoded: {failure}.",
            fix="Try another format, such as --output out.mkv, or --no-video.",
        ) from failure

    def _run(self) -> None:
        """Encode in the thread; after a failure it goes on emptying the queue: no caller waits."""
        encoding: Encoding | None = None
        audio = self._open_audio()
        partial = self.partial
        while (item := self._queue.get()) is not None:
            if self._failure is not None or partial is None:
                continue
            started = perf_counter()
            try:
                encoding = encoding or self._open(partial, item[0], audio)
                encoding.add(*item)
            except Exception as error:
                # Raised again by the next write or by close, in the caller's thread.
                self._failure = error
            self.encode_ms.add((perf_counter() - started) * 1000)
        self._end(encoding)
        if audio is not None:
            audio.close()
            self.notice, self.faults = audio.notice, +audio.faults

    def _open(self, partial: Path, first: Image, audio: AudioCopy | None) -> Encoding:
        size = (first.shape[1], first.shape[0])
        shape = Shape(size, self.config.pixel_aspect)
        encoding = Encoding(partial, self._format, sane_fps(self.config.fps), shape, audio)
        self.codec = encoding.codec
        return encoding

    def _open_audio(self) -> AudioCopy | None:
        return AudioCopy(self.config.audio_from) if self.config.audio_from is not None else None

    def _end(self, encoding: Encoding | None) -> None:
        if encoding is None:
            return
        try:
            if self._failure is None:
                encoding.finish()
        except (av.FFmpegError, OSError, ValueError) as error:
            self._failure = error
        if self._failure is not None:
            encoding.abandon()
