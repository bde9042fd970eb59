"""The window of `--show`, a program of its own: pictures come in, its exit says that it was closed.

It is started by its path and imports nothing of this package: libav and the toolkit behind
OpenCV's windows load libraries that conflict within one process, and a toolkit without a display
ends the process that asks for a window.

In: pictures, each as height and width (two little-endian uint32) and BGR bytes. Out: one line when
the window is there.
"""

from __future__ import annotations

import signal
import struct
import sys
import threading
from collections import deque
from typing import BinaryIO

import cv2
import numpy as np

TITLE = "mot_dinov3 - q or Escape ends the run"
READY = b"ready\n"
HEAD = struct.Struct("<II")
QUIT_KEYS = (ord("q"), ord("Q"), 27)
POLL_MS = 15


def main() -> int:
    """Show pictures until they end or the window is closed; the exit code is 0."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    cv2.waitKey(1)
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    newest: deque[np.ndarray | None] = deque(maxlen=1)
    threading.Thread(target=_receive, args=(sys.stdin.buffer, newest), daemon=True).start()
    shown = False
    while True:
        if newest:
            picture = newest.popleft()
            if picture is None:
                return 0
            if not shown:
                cv2.resizeWindow(TITLE, picture.shape[1], picture.shape[0])
            cv2.imshow(TITLE, picture)
            shown = True
        closed = shown and cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
        if cv2.waitKey(POLL_MS) & 0xFF in QUIT_KEYS or closed:
            return 0


def _receive(pipe: BinaryIO, newest: deque[np.ndarray | None]) -> None:
    while len(head := pipe.read(HEAD.size)) == HEAD.size:
        height, width = HEAD.unpack(head)
        pixels = pipe.read(height * width * 3)
        if len(pixels) < height * width * 3:
            break
        newest.append(np.frombuffer(pixels, np.uint8).reshape(height, width, 3))
    newest.append(None)


if __name__ == "__main__":
    sys.exit(main())
