"""A video that comes through a pipe: `cat video.mp4 | cli.py --source -`."""

from __future__ import annotations

import os
import select
import stat
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO, TypeAlias

import av
from av.container import InputContainer

from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.containers import FILE_DEMUXERS
from mot_dinov3.io.read.video import VideoReader
from mot_dinov3.io.truncation import describe_cut, has_late_index
from mot_dinov3.runtime.git_lfs import build_pointer_error
from mot_dinov3.runtime.opening import is_pointer

STANDARD_INPUT = "-"
NAME = "standard input"
HEAD_BYTES, PIECE_BYTES = 1 << 16, 1 << 20
POLL_S = 0.1
"""How soon a request to stop is noticed while nothing comes."""


class PipedBytes:
    """The bytes of a pipe, in order, without waiting for ever.

    Args:
        descriptor: of the pipe.
        stopped: asked while nothing comes: whether to end.

    Attributes:
        head: the bytes that were looked at first.
        count: how many bytes came so far.
    """

    name = NAME

    def __init__(self, descriptor: int, stopped: Callable[[], bool]) -> None:
        self._descriptor, self._stopped = descriptor, stopped
        self._waiting = b""
        self.head, self.count = b"", 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end, or when stopped."""
        if self._waiting:
            part, self._waiting = self._waiting[:size], self._waiting[size:]
            return part
        while not self._stopped():
            if sys.platform == "win32" or select.select([self._descriptor], [], [], POLL_S)[0]:
                part = os.read(self._descriptor, size)
                self.count += len(part)
                return part
        return b""

    def close(self) -> None:
        """The pipe belongs to the process: it stays open."""

    def peek(self, size: int) -> bytes:
        """The first bytes, which are read again: `size` of them, fewer at the end."""
        while len(self.head) < size and (part := self.read(size - len(self.head))):
            self.head += part
        self._waiting = self.head
        return self.head


ByteSource: TypeAlias = "PipedBytes | BinaryIO"
"""What libav reads from."""


class StandardInputReader(VideoReader):
    """Reads the video that the standard input holds.

    Raises:
        InputError: at birth, when it is a terminal, is empty or is not a video; or as a
            `VideoReader` does.
    """

    def __init__(self, config: SourceConfig, stopped: Callable[[], bool]) -> None:
        """Decode the first frame.

        Args:
            config: which frames are wanted.
            stopped: asked while nothing comes: whether to end.
        """
        descriptor = sys.stdin.fileno() if sys.stdin is not None else 0
        if os.isatty(descriptor):
            raise InputError(
                f"--source {STANDARD_INPUT} reads a video from a pipe, but here is a terminal.",
                fix="Pipe it in, as in: cat video.mp4 | ... --source -",
            )
        try:
            self._file = _open_bytes(descriptor, stopped)
        except OSError as error:
            raise InputError(
                f"The {NAME} cannot be read: {error.strerror}.", fix="Name the file instead."
            ) from error
        try:
            super().__init__(_open_container(self._file), None, NAME, config)
        except BaseException:
            self._file.close()
            raise

    def _describe_wound(self) -> str:
        return _describe_cut(self._file)

    def close(self) -> None:
        """Close what was opened; closing it again does nothing."""
        super().close()
        self._file.close()


def _open_container(file: ByteSource) -> InputContainer:
    try:
        return av.open(
            file,
            "r",
            container_options={"format_whitelist": FILE_DEMUXERS, "protocol_whitelist": "pipe"},
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError) as error:
        if is_pointer(_read_head(file)):
            raise build_pointer_error(NAME, InputError) from error
        what = _describe_cut(file) or "is not a video in any format that can be read here"
        raise InputError(
            f"The {NAME} {what}.",
            fix="Pipe in a whole file (mkv, ts, mp4, ...), or name the file.",
        ) from error


def _read_head(file: ByteSource) -> bytes:
    if isinstance(file, PipedBytes):
        return file.head
    file.seek(0)
    return file.read(HEAD_BYTES)


def _describe_cut(file: ByteSource) -> str:
    if isinstance(file, PipedBytes):
        return describe_cut(BytesIO(file.head), file.count)
    return describe_cut(file, file.seek(0, os.SEEK_END))


def _open_bytes(descriptor: int, stopped: Callable[[], bool]) -> ByteSource:
    """What libav reads from: the file itself where it is one, since it can be read in any order."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(os.dup(descriptor), "rb")
    piped = PipedBytes(descriptor, stopped)
    head = piped.peek(HEAD_BYTES)
    if not head:
        raise InputError(
            f"The {NAME} is empty.", fix="Check the command that should write the video to it."
        )
    return _keep(piped) if has_late_index(head) else piped


def _keep(piped: PipedBytes) -> BinaryIO:
    """A file without a name that holds all the bytes: what they mean stands at their end."""
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - libav reads from it for as long as it likes
    while part := piped.read(PIECE_BYTES):
        file.write(part)
    file.seek(0)
    return file
