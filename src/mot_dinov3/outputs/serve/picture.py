"""The newest picture of a run as JPEG, made only while somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Self

import cv2

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.drawing import draw_tracks
from mot_dinov3.runtime.threads import Companion
from mot_dinov3.values import Frame, FrameResult, Image

QUALITY = 80
MOST_WIDTH = 1280
"""Wider pictures are scaled down: the page is for watching, the video for looking closely."""
LEAST_STEP_S = 1 / 25


class LivePicture:
    """Draws and encodes in a thread of its own, at most 25 times a second.

    Whoever tracks only leaves the newest frame here, which costs nothing and never waits.

    Attributes:
        names: class id -> name, for the labels.
        over: no picture comes any more.
    """

    def __init__(self, draw: DrawConfig) -> None:
        self.names: Mapping[int, str] = {}
        self._draw = draw
        self._changed = threading.Condition()
        self._shown: tuple[Frame, FrameResult] | None = None
        self._fresh = self.over = False
        self._viewers = 0
        self._number, self._jpeg = 0, b""
        self._thread = Companion(self._run, "page-pictures")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        with self._changed:
            self.over = True
            self._changed.notify_all()
        self._thread.wait()

    def show(self, frame: Frame, result: FrameResult) -> None:
        """Leave the newest frame; its pixels must stay as they are."""
        with self._changed:
            self._shown, self._fresh = (frame, result), True
            if self._viewers:
                self._changed.notify_all()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Have pictures made inside."""
        with self._changed:
            self._viewers += 1
            self._fresh = self._shown is not None
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._viewers -= 1

    def after(self, number: int, patience_s: float) -> tuple[int, bytes]:
        """The newest JPEG and its number, once that is not `number`, or after `patience_s`.

        Number 0 has no bytes: there was no frame yet. At the end it returns at once.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._number != number or self.over, patience_s)
            return self._number, self._jpeg

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.over or (self._viewers and self._fresh))
                if self.over or self._shown is None:
                    return
                shown, self._fresh = self._shown, False
            began_s = monotonic()
            jpeg = self._encoded(*shown)
            with self._changed:
                self._number, self._jpeg = self._number + 1, jpeg
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self.over, LEAST_STEP_S - min(LEAST_STEP_S, monotonic() - began_s)
                )

    def _encoded(self, frame: Frame, result: FrameResult) -> bytes:
        picture: Image = draw_tracks(frame.image, result, self.names, self._draw)
        if frame.width > MOST_WIDTH:
            size = (MOST_WIDTH, max(1, round(frame.height * MOST_WIDTH / frame.width)))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return jpeg.tobytes() if done else b""
