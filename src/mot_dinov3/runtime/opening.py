"""Opening files that a user or a stranger named: only regular ones, and of bounded size."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

NO_BLOCK = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
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


def open_regular(path: Path, most_bytes: int | None = None) -> BinaryIO:
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


def _require(about: os.stat_result, path: Path, most_bytes: int | None) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a directory", str(path))
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
