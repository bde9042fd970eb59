"""Live sources without a network: transport streams handed out as a test says."""

from __future__ import annotations

import threading

import av

from helpers.clips import Clip, make_clip
from mot_dinov3.errors import InputError
from mot_dinov3.io.read.connection import LiveAddress

LIVELY = (("tune", "zerolatency"), ("g", "10"))
LONG_S = 20
"""A test that waits so long has found a deadlock."""


def stream_bytes(directory, frames=30, size=(64, 48), fps=25, start_s=0.0):
    """A transport stream without B-frames, as a camera sends it."""
    times = tuple(start_s + index / fps for index in range(frames))
    clip = Clip(frames=frames, size=size, fps=fps, options=LIVELY, times=times)
    return make_clip(directory / f"{frames}_{size[0]}_{start_s}.ts", clip).read_bytes()


class Feed:
    """What one connection sends, to be read by libav; no seeking, so nobody knows how long it is.

    It sends `data`, then `after`: "end", "break" (an error) or "hang", until `released`.
    """

    def __init__(self, data, after="end", first=0):
        self.data, self.after = data, after
        self.released = threading.Event()
        self.first = first or len(data)
        self.more = threading.Event()
        if not first:
            self.more.set()
        self.sent = 0

    def read(self, size):
        if self.sent >= self.first and not self.more.wait(LONG_S):
            raise OSError("nobody asked for more")
        piece = self.data[self.sent : self.sent + min(size, 4096)]
        self.sent += len(piece)
        if piece:
            return piece
        if self.after == "hang":
            self.released.wait(LONG_S)
        if self.after == "break":
            raise av.error.ConnectionResetError(104, "Connection reset by peer")
        return b""


class Camera:
    """A line whose connections are scripted: each is a `Feed` or an error to raise."""

    def __init__(self, *script):
        self.script = list(script)
        self.calls = 0

    def connect(self):
        self.calls += 1
        item = self.script.pop(0) if self.script else self.last
        self.last = item
        if isinstance(item, Exception):
            raise item
        options = {"probesize": "4000", "analyzeduration": "100000", "fpsprobesize": "2"}
        try:
            return av.open(item, format="mpegts", buffer_size=4096, container_options=options)
        except av.FFmpegError as error:
            raise InputError(f"The camera cannot be opened: {error.strerror}.") from error

    @property
    def line(self):
        return LiveAddress("camera", self.connect, 2.0)
