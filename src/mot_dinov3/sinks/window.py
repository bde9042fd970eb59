"""`--show`: the newest picture in a window, which belongs to the main thread."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Self

import cv2

from mot_dinov3.config import DrawConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.structures import Frame, FrameResult
from mot_dinov3.timing import Clock
from mot_dinov3.viz import draw_tracks

TITLE = "mot_dinov3 - q or Escape ends the run"
QUIT_KEYS = (ord("q"), ord("Q"), 27)
LEAST_STEP_S = 1 / 30
"""A screen hardly shows more, and drawing takes time from tracking."""

PROBE = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1); cv2.destroyAllWindows()"
PROBE_S = 20.0


class Window:
    """A sink that keeps the newest frame, and a window that shows it when told to `refresh`.

    Keys and the window's own button ask for the end of the run.
    """

    def __init__(
        self,
        draw: DrawConfig,
        names: Mapping[int, str],
        ask_stop: Callable[[], None],
        clock: Clock = perf_counter,
    ) -> None:
        """Args: how tracks look; class id -> name; hears the wish to stop; seconds."""
        self._draw, self._names = draw, names
        self._ask_stop, self._clock = ask_stop, clock
        self._newest: tuple[Frame, FrameResult] | None = None
        self._shown_s = float("-inf")
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._newest = None
        if self._open:
            self._open = False
            cv2.destroyWindow(TITLE)
            cv2.waitKey(1)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Keep a frame until the main thread has time for it; a newer one takes its place."""
        self._newest = (frame, result)

    def refresh(self) -> None:
        """Show the newest frame and hear keys; in the main thread, also while no frame comes."""
        now_s = self._clock()
        if now_s - self._shown_s < LEAST_STEP_S:
            return
        self._shown_s = now_s
        newest, self._newest = self._newest, None
        if newest is not None:
            self._show(*newest)
        if self._open and (cv2.waitKey(1) & 0xFF in QUIT_KEYS or self._was_closed()):
            self._ask_stop()

    def _show(self, frame: Frame, result: FrameResult) -> None:
        if not self._open:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
            cv2.resizeWindow(TITLE, frame.width, frame.height)
            self._open = True
        cv2.imshow(TITLE, draw_tracks(frame.image, result, self._names, self._draw))

    def _was_closed(self) -> bool:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1


def require_display() -> None:
    """Refuse `--show` where no window can be opened, before any work is done.

    It is tried in another process: without a display the toolkit ends the one that asks.

    Raises:
        UsageError: there is no display here, or OpenCV was built without windows.
    """
    fix = "Use --serve and a browser instead, or run it on a desktop (ssh -X forwards one)."
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise UsageError("--show found no display that answers.", fix=fix) from None
    if done.returncode:
        headless = "not implemented" in done.stderr
        raise UsageError(
            "--show needs windows, and this OpenCV was built without them."
            if headless
            else "--show needs a display, and there is none here.",
            fix="Install opencv-python instead of its headless variant." if headless else fix,
        )
