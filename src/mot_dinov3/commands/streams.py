"""The standard streams: present even if the process got none, quiet if their reader is gone."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator

from mot_dinov3.errors import OutputError

STREAMS = {0: ("stdin", "r"), 1: ("stdout", "w"), 2: ("stderr", "w")}
"""Descriptor -> its name in `sys`, and how it is opened."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def fill_gaps() -> None:
    """Put an empty stream where the process was started without one (`2>&-`).

    Otherwise the first file of the run would take its number, and a message that a library
    prints there would land in that file.

    Names of files may hold what a stream cannot show: it becomes a question mark, and not an error.
    """
    for number, (name, mode) in STREAMS.items():
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextlib.contextmanager
def flush_output() -> Iterator[None]:
    """Flush all that is printed inside, while an error can still be reported.

    Raises:
        BrokenPipeError: the reader of the output is gone.
        OutputError: what the streams go to is full.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise OutputError(
            f"Nothing more can be printed: {os.strerror(error.errno)}.",
            fix="Make room, or send the output somewhere else.",
        ) from error


def discard_output() -> None:
    """Discard what the streams still hold, which Python would fail to write at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
