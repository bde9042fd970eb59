"""Records in a file that only grows, each proven by what stands before it.

The file begins with a line that names it. A record is its length, a checksum, a letter for its
kind, and its bytes; numbers are little-endian. The checksum (CRC-32, as in zip files) goes on from
the one before it over the kind and the bytes: a record that was torn, changed, moved or left out
ends what can be read, and everything before it is as it was written.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mot_dinov3.runtime.opening import open_regular

MAGIC = b"mot_dinov3 journal 1\n"
HEAD = struct.Struct("<II")
"""Length of the kind and the bytes together, and the checksum."""

MOST_BYTES = 2**28
"""No frame needs more; a length beyond is damage."""

START = zlib.crc32(MAGIC)
"""What the checksum of the first record goes on from."""


class Record(NamedTuple):
    """One record and where the next one begins.

    Attributes:
        kind: one byte.
        data: its bytes.
        end: offset in the file behind it.
        checksum: its own, on which that of the next one stands.
    """

    kind: bytes
    data: bytes
    end: int
    checksum: int


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file up to its end or to the first that is not whole; never more.

    Raises:
        OSError: the file cannot be read.
    """
    with open_regular(path) as file:
        if file.read(len(MAGIC)) == MAGIC:
            yield from _read_from(file, START)


def _read_from(file: BinaryIO, checksum: int) -> Iterator[Record]:
    """The records from the position of `file` on, `checksum` being that of the one before."""
    while len(head := file.read(HEAD.size)) == HEAD.size:
        length, stated = HEAD.unpack(head)
        body = file.read(length) if 0 < length <= MOST_BYTES else b""
        checksum = zlib.crc32(body, checksum)
        if len(body) != length or checksum != stated or not body:
            return
        yield Record(body[:1], body[1:], file.tell(), checksum)


class RecordWriter:
    """Appends records to an open file, each in one piece.

    Args:
        file: open for reading and writing, without a buffer.
        end: offset behind the last good record, 0 for a new file; what lies beyond is cut off.
        checksum: that of the last good record.
    """

    def __init__(self, file: BinaryIO, end: int = 0, checksum: int = START) -> None:
        self._file = file
        self._checksum = checksum
        self.end = end
        file.truncate(end)
        file.seek(end)
        if not end:
            self._write(MAGIC)

    def append(self, kind: bytes, *parts: bytes) -> None:
        """Add a record; it is whole, or cut off again.

        Raises:
            OSError: the system refused.
        """
        body = b"".join((kind, *parts))
        checksum = zlib.crc32(body, self._checksum)
        self._write(HEAD.pack(len(body), checksum) + body)
        self._checksum = checksum

    def _write(self, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.truncate(self.end)
            raise
        self.end += len(data)
