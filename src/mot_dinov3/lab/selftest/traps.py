"""Traps that notice what must not happen: code that runs, a file that is opened, a call home."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from mot_dinov3.lab.selftest.cases import CannotRunError, expect

IN_OPEN = 0x20
"""inotify(7): a file was opened."""
END = b"nobody calls any more"


@dataclass(frozen=True, slots=True)
class Traps:
    """What a malicious file names in the hope that it is touched.

    Attributes:
        marker: a file that evil code would write.
        secret: a valid clip that nobody asked for.
        url: an address on this machine where somebody counts the calls.
    """

    marker: Path
    secret: Path
    url: str


@contextmanager
def traps(directory: Path, clip: Path) -> Iterator[Traps]:
    """Set the traps below `directory`, with `clip` as the secret, and look at them at the end.

    Raises:
        BrokenPromiseError: one of them was touched.
        CannotRunError: this system does not tell who opens files.
    """
    place = directory / "secret"
    place.mkdir()
    secret = place / "secret.mp4"
    secret.write_bytes(clip.read_bytes())
    marker = place / "ran"
    calls: list[str] = []
    with watched(secret) as opened:
        with listening(calls) as port:
            yield Traps(marker, secret, f"http://127.0.0.1:{port}/secret.ts")
        expect(not marker.exists(), "code in the file ran")
        expect(not opened(), "another file was opened")
        expect(not calls, f"it called an address in the file: {calls[:1]}")


@contextmanager
def listening(calls: list[str]) -> Iterator[int]:
    """A port on the loopback; whoever connects to it is noted in `calls` and sent away."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        thread = Thread(target=_answer, args=(server, calls), daemon=True)
        thread.start()
        try:
            yield int(place[1])
        finally:
            # Calls are answered in their order: with this one, all before it are noted.
            with socket.create_connection(place) as last:
                last.sendall(END)
            thread.join()


def _answer(server: socket.socket, calls: list[str]) -> None:
    while True:
        line, _ = server.accept()
        with line:
            said = b""
            with suppress(OSError):
                line.settimeout(2.0)
                said = line.recv(200)
                line.sendall(b"HTTP/1.0 404 Not Found\r\n\r\n")
            if said == END:
                return
            calls.append(said.split(b"\r\n")[0].decode("ascii", "replace"))


class Opened:
    """Whether a file was opened since the watch began."""

    def __init__(self, watch: int) -> None:
        self._watch = watch

    def __call__(self) -> bool:
        """Ask once; what was seen is forgotten then."""
        try:
            return bool(os.read(self._watch, 4096))
        except BlockingIOError:
            return False


@contextmanager
def watched(path: Path) -> Iterator[Opened]:
    """Let the kernel tell whether anybody opens `path`, also for an instant.

    Raises:
        CannotRunError: there is no inotify here.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        raise CannotRunError("no inotify")
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if watch < 0 or libc.inotify_add_watch(watch, os.fsencode(path), IN_OPEN) < 0:
        raise CannotRunError(f"inotify: {os.strerror(ctypes.get_errno())}")
    try:
        yield Opened(watch)
    finally:
        os.close(watch)
