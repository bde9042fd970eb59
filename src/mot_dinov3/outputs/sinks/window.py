"""`--show`: the newest picture in a window, which has a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import IO, Self

from mot_dinov3.config import DrawConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.outputs.drawing import TrackPainter
from mot_dinov3.outputs.sinks.viewer import HEAD, READY
from mot_dinov3.runtime.threads import WaitableThread
from mot_dinov3.values import Frame, FrameResult

VIEWER = (sys.executable, "-P", str(Path(__file__).with_name("viewer.py")))
LEAST_STEP_S = 1 / 30
"""Seconds between pictures: a display hardly shows more, and drawing takes time from tracking."""
POLL_S = 0.2
"""Seconds after which it is noticed at the latest that the window was closed."""
OPENING_S = 20.0
"""Seconds after which a viewer without a window is ended."""
LEAVING_S = 2.0
"""Seconds for which the end of the run waits for the last picture."""


class Window:
    """A sink that shows the newest frame in a window; a thread draws and sends.

    The window opens when the object is made. Its keys and its close button ask for the end of
    the run.

    Attributes:
        names: class id -> name, for the labels.

    Raises:
        UsageError: when it is made: there is no display, or OpenCV was built without windows.
    """

    def __init__(self, draw: DrawConfig, ask_stop: Callable[[], None]) -> None:
        """Open the window.

        Args:
            draw: how tracks are drawn.
            ask_stop: called when the window is closed.
        """
        self.names: Mapping[int, str] = {}
        self._painter, self._ask_stop = TrackPainter(draw), ask_stop
        self._changed = threading.Condition()
        self._newest: tuple[Frame, FrameResult] | None = None
        self._over = False
        self._viewer = open_viewer()
        self._thread = WaitableThread(self._run, "window")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._thread.wait(LEAVING_S)
        self.close()

    def close(self) -> None:
        """Close the window; more than once does no harm."""
        end_viewer(self._viewer)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Keep a frame until it is shown; a newer one takes its place."""
        with self._changed:
            self._newest = (frame, result)
            self._changed.notify_all()

    def _run(self) -> None:
        pictures = self._viewer.stdin
        while not self._over and pictures is not None:
            began_s = monotonic()
            with self._changed:
                self._changed.wait_for(lambda: self._newest or self._over, POLL_S)
                newest, self._newest = self._newest, None
            if self._viewer.poll() is not None or not self._send(newest, pictures):
                self._ask_stop()
                return
            rest_s = LEAST_STEP_S - (monotonic() - began_s)
            with self._changed:
                self._changed.wait_for(lambda: self._over, max(0.0, rest_s))

    def _send(self, newest: tuple[Frame, FrameResult] | None, pictures: IO[bytes]) -> bool:
        """Send a picture to the viewer; False when the window is gone."""
        if newest is None:
            return True
        frame, result = newest
        picture = self._painter.draw(frame.image, result, self.names)
        try:
            pictures.write(HEAD.pack(*picture.shape[:2]))
            pictures.write(picture.data)
            pictures.flush()
        except (OSError, ValueError):
            return False
        return True


def open_viewer() -> subprocess.Popen[bytes]:
    """Start a viewer and wait until its window is open.

    Raises:
        UsageError: there is no display, or OpenCV was built without windows.
    """
    pipe = subprocess.PIPE
    viewer = subprocess.Popen(VIEWER, stdin=pipe, stdout=pipe, stderr=pipe)
    alarm = threading.Timer(OPENING_S, viewer.kill)
    alarm.start()
    try:
        ready = viewer.stdout is not None and viewer.stdout.readline() == READY
    finally:
        alarm.cancel()
    if ready:
        return viewer
    said = viewer.stderr.read() if viewer.stderr is not None else b""
    end_viewer(viewer)
    if b"not implemented" in said:
        raise UsageError(
            "--show needs windows, and this OpenCV was built without them.",
            fix="Install opencv-python instead of its headless variant.",
        )
    raise UsageError(
        "--show needs a display, and there is none here.",
        fix="Use --serve and a browser instead, or run it on a desktop (ssh -X forwards one).",
    )


def end_viewer(viewer: subprocess.Popen[bytes]) -> None:
    """End a viewer and close its pipes."""
    viewer.kill()
    viewer.wait()
    for pipe in (viewer.stdin, viewer.stdout, viewer.stderr):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # a part of a picture was not sent yet
                continue
