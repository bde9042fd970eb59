"""Tricks of malicious files, and traps that notice them: code that runs, files opened, calls."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TypeAlias

from mot_dinov3.lab.selftest.cases import CannotRunError, expect

IN_OPEN = 0x20
"""inotify(7): a file was opened."""
END = b"no more calls"


@dataclass(frozen=True, slots=True)
class Traps:
    """What a malicious file names in the hope that it is touched.

    Attributes:
        marker: a file that evil code would write.
        secret: a valid clip that was not asked for.
        url: an address on this machine where calls are counted.
    """

    marker: Path
    secret: Path
    url: str


@contextmanager
def set_traps(directory: Path, clip: Path) -> Iterator[Traps]:
    """Set the traps below `directory`, with `clip` as the secret, and look at them at the end.

    Raises:
        BrokenPromiseError: one of them was touched.
        CannotRunError: this system does not report opened files.
    """
    place = directory / "secret"
    place.mkdir()
    secret = place / "secret.mp4"
    secret.write_bytes(clip.read_bytes())
    marker = place / "ran"
    calls: list[str] = []
    with watch_file(secret) as opened:
        with listen(calls) as port:
            yield Traps(marker, secret, f"http://127.0.0.1:{port}/secret.ts")
        expect(not marker.exists(), "code in the file ran")
        expect(not opened(), "another file was opened")
        expect(not calls, f"it called an address in the file: {calls[:1]}")


@contextmanager
def listen(calls: list[str]) -> Iterator[int]:
    """Listen on a port of the loopback address; every connection is noted in `calls`."""
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


class OpenWatch:
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
def watch_file(path: Path) -> Iterator[OpenWatch]:
    """Let the kernel say whether `path` is opened, also for an instant.

    Raises:
        CannotRunError: this system has no inotify.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        raise CannotRunError("no inotify")
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if watch < 0 or libc.inotify_add_watch(watch, os.fsencode(path), IN_OPEN) < 0:
        raise CannotRunError(f"inotify: {os.strerror(ctypes.get_errno())}")
    try:
        yield OpenWatch(watch)
    finally:
        os.close(watch)


Prepare: TypeAlias = Callable[[Path, Traps], Sequence[str]]
"""Writes the file into a directory and returns the command line that opens it."""


@dataclass(frozen=True, slots=True)
class Trick:
    """One malicious file.

    Attributes:
        name: unique in its table.
        code: the exit code: refused, or 0 where the harmless part of it is used.
        prepare: makes it; in its words `{clip}` is a good clip, `{boxes}` its detections.
    """

    name: str
    code: int
    prepare: Prepare
