"""The standard streams: always there, quiet if their reader is gone, and plain text."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

from mot_dinov3.errors import OutputError
from mot_dinov3.wording import make_printable

STREAMS = {0: ("stdin", "r"), 1: ("stdout", "w"), 2: ("stderr", "w")}
"""Descriptor -> its name in `sys`, and how it is opened."""

MOVES = re.compile(r"\r?\n*(\x1b\[A)*")
"""How a progress bar moves: to the beginning of its line, or some lines down or up."""

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


class PlainStream:
    """A text stream that steers no terminal: control characters in what is written become `?`.

    Names of files, keys of settings, rows of tables and messages of libraries all come this way,
    whatever prints them. Line breaks and tabs stay, and so do the moves of a progress bar, which
    stand at the beginning of what it writes. What the stream cannot encode becomes `?` too.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`, and leave everything else to it."""
        self._stream = stream

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text` without control characters; returns the number of characters given."""
        self._stream.write(self._clean(text))
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def _clean(self, text: str) -> str:
        begun = MOVES.match(text)
        moves = begun[0] if begun else ""
        parts = re.split(r"([\n\t])", text[len(moves) :])  # every second one is what split them
        rest = "".join(part if n % 2 else make_printable(part) for n, part in enumerate(parts))
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        return moves + rest.encode(encoding, "replace").decode(encoding)


@contextlib.contextmanager
def plain_streams() -> Iterator[None]:
    """Inside, what is printed steers no terminal; see `PlainStream`."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", PlainStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


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
