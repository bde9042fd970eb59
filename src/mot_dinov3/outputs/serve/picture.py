"""The newest picture of a run as JPEG, made only while a browser shows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Self

import cv2

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.drawing import TrackPainter
from mot_dinov3.runtime.threads import WaitableThread
from mot_dinov3.values import Frame, FrameResult, Image

QUALITY = 80
MOST_WIDTH = 1280
"""Pixels; wider pictures are scaled down, as the video is there for a closer look."""
LEAST_STEP_S = 1 / 25


class LivePicture:
    """Draws and encodes the newest frame in a thread, at most 25 times a second.

    The thread of the loop only leaves the frame here, which takes no time and never waits.

    Attributes:
        names: class id -> name, for the labels.
        over: the run has ended, there will be no more pictures.
    """

    def __init__(self, draw: DrawConfig) -> None:
        self.names: Mapping[int, str] = {}
        self._painter = TrackPainter(draw)
        self._changed = threading.Condition()
        self._shown: tuple[Frame, FrameResult] | None = None
        self._fresh = self.over = False
        self._viewers = 0
        self._number, self._jpeg = 0, b""
        self._thread = WaitableThread(self._run, "page-pictures")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        with self._changed:
            self.over = True
            self._changed.notify_all()
        self._thread.wait()

    def show(self, frame: Frame, result: FrameResult) -> None:
        """Leave the newest frame; the caller must not change its pixels."""
        with self._changed:
            self._shown, self._fresh = (frame, result), True
            if self._viewers:
                self._changed.notify_all()

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Inside the context pictures are made."""
        with self._changed:
            self._viewers += 1
            self._fresh = self._shown is not None
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._viewers -= 1

    def wait_for_next(self, number: int, patience_s: float) -> tuple[int, bytes]:
        """Wait for a picture that is newer than one the caller has.

        Args:
            number: of the caller's picture, 0 for none.
            patience_s: seconds after which the same picture is returned.

        Returns:
            Number and JPEG of the newest picture; (0, b"") before the first frame. After the end
            of the run it returns at once.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._number != number or self.over, patience_s)
            return self._number, self._jpeg

    def take(self, patience_s: float) -> bytes:
        """The newest frame as JPEG, within `watch`; waits until it is made.

        Args:
            patience_s: seconds after which an older picture is returned.

        Returns:
            The JPEG, b"" before the first frame. After the end of the run it is the last frame.
        """
        with self._changed:
            number, is_due = self._number, self._shown is not None
            self._changed.wait_for(
                lambda: self._number != number or self.over or not is_due, patience_s
            )
            if self.over and self._shown is not None:
                self._jpeg, self._shown = self._encode(*self._shown), None
            return self._jpeg

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.over or (self._viewers and self._fresh))
                if self.over or self._shown is None:
                    return
                shown, self._fresh = self._shown, False
            began_s = monotonic()
            jpeg = self._encode(*shown)
            with self._changed:
                self._number, self._jpeg = self._number + 1, jpeg
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self.over, LEAST_STEP_S - min(LEAST_STEP_S, monotonic() - began_s)
                )

    def _encode(self, frame: Frame, result: FrameResult) -> bytes:
        picture: Image = self._painter.draw(frame.image, result, self.names)
        if frame.width > MOST_WIDTH:
            size = (MOST_WIDTH, max(1, round(frame.height * MOST_WIDTH / frame.width)))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return jpeg.tobytes() if done else b""
