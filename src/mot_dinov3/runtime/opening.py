"""Opening files that a user or a stranger named: only regular ones, and of bounded size."""

from __future__ import annotations

import errno
import os
import stat
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path

from mot_dinov3.runtime.limits import TextLimit

NO_BLOCK = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
POINTER = b"version https://git-lfs.github.com/spec/"
"""How git-lfs begins what a clone holds in place of a large file that was not fetched."""
CHUNK_BYTES = 1 << 20
UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))


def is_regular(path: Path) -> bool:
    """Whether a path, or what a link leads to, is a regular file; False where nothing is there."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def keep_regular(paths: Iterable[Path]) -> Iterator[Path]:
    """The regular files among `paths`: pipes, devices, sockets and directories are left out."""
    return (path for path in paths if is_regular(path))


def open_regular(path: Path, most_bytes: int | None = None) -> BufferedReader:
    """Open a regular file for reading, without ever waiting for another process.

    A pipe or a device is not even opened: the other end may never come, and opening some devices
    does something.

    Args:
        path: the file; links are followed.
        most_bytes: the largest size that makes sense for it; None for any.

    Raises:
        OSError: it cannot be opened, is not a regular file, or is larger; `strerror` is a reason
            that fits behind a colon in a message.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "no such name is possible", str(path))
    _require(os.stat(path), path, most_bytes)  # noqa: PTH116 - as fstat below
    descriptor = os.open(path, os.O_RDONLY | NO_BLOCK)
    try:
        _require(os.fstat(descriptor), path, most_bytes)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most_bytes: int) -> bytes:
    """Read a whole regular file, at most the bytes that it said to have when it was opened.

    Files of the system that say to have none, such as those of `/proc`, are empty here.

    Args:
        path: the file; links are followed.
        most_bytes: the largest size that makes sense for it.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger.
    """
    with open_regular(path, most_bytes) as file:
        return file.read(min(os.fstat(file.fileno()).st_size, most_bytes)) or b""


def open_text(path: Path, limit: TextLimit) -> BufferedReader:
    """Open a regular file whose size and lines are within `limit`, at its beginning.

    Raises:
        OSError: it is not such a file; `strerror` is a reason for a message.
    """
    file = open_regular(path, limit.most_bytes)
    try:
        if is_pointer(file.peek(len(POINTER))):
            reason = "it is a pointer of git-lfs, and 'git lfs pull' fetches the file itself"
            raise OSError(errno.EINVAL, reason, str(path))
        _require_short_lines(file, path, limit)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def is_pointer(head: bytes) -> bool:
    """Whether a file that begins with `head` is a pointer of git-lfs, which stands for another."""
    return head.startswith(POINTER)


def read_text(path: Path, limit: TextLimit) -> str:
    """Read a whole text; see `decode_text`.

    Raises:
        OSError: it is not a regular file within `limit`; `strerror` is a reason for a message.
        UnicodeDecodeError: it is written in another way.
    """
    with open_text(path, limit) as file:
        return decode_text(file.read(limit.most_bytes))


def decode_text(data: bytes, errors: str = "strict") -> str:
    """A text in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    Editors and shells of Windows write the mark; it is not part of the text.

    Raises:
        UnicodeDecodeError: it is written in another way, and `errors` is "strict".
    """
    return data.decode(find_encoding(data), errors)


def find_encoding(head: bytes) -> str:
    """How a text that begins with `head` is written, as its byte order mark says."""
    return "utf-16" if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"


def _require_short_lines(file: BufferedReader, path: Path, limit: TextLimit) -> None:
    """Read the file in pieces, whatever the lengths of its lines."""
    begun = total = 0
    while piece := file.read(CHUNK_BYTES):
        total += len(piece)
        head, *others = piece.split(b"\n")
        lengths = [begun + len(head), *map(len, others)]
        begun = lengths[-1]
        if max(lengths) > limit.most_line or total > limit.most_bytes:
            raise OSError(
                errno.EFBIG,
                f"it has a line longer than {_format_bytes(limit.most_line)}"
                if total <= limit.most_bytes
                else f"it is larger than {_format_bytes(limit.most_bytes)}",
                str(path),
            )


def _require(about: os.stat_result, path: Path, most_bytes: int | None) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if most_bytes is not None and about.st_size > most_bytes:
        reason = f"it is larger than {_format_bytes(most_bytes)}"
        raise OSError(errno.EFBIG, reason, str(path))


def _format_bytes(size: int) -> str:
    for unit, name in UNITS:
        if size >= unit:
            return f"{size / unit:g} {name}"
    return f"{size} bytes"
