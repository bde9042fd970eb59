"""What a run journal holds: the identity of its run, its frames, and the mark of its end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mot_dinov3.runs.resume.answers import FrameAnswers
from mot_dinov3.runs.resume.records import START, read_records

IDENTITY, FRAME, UNFINISHED_FILES, ENDED = b"W", b"F", b"U", b"E"
"""Kinds of records: the identity, a frame, files that still have partial names, the end.

The letters are part of the file format.
"""


@dataclass(slots=True)
class JournalContents:
    """A journal without the data of its frames.

    Attributes:
        path: the file.
        identity: of the run that began it, as plain values; empty if there is no journal.
        frames: how many frames it holds.
        files: unfinished outputs of its latest run and of those before: (path, inode).
        ended: figures and outputs of a run that is over, None while it is not.
        end: offset behind the last good record.
        checksum: checksum of that record.
        size: bytes of the whole file; more than `end` where the rest is torn or damaged.
    """

    path: Path
    identity: Mapping[str, Any] = field(default_factory=dict)
    frames: int = 0
    files: list[tuple[str, int]] = field(default_factory=list)
    ended: Mapping[str, Any] | None = None
    end: int = 0
    checksum: int = START
    size: int = 0

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something to resume."""
        return self.frames > 0 and self.ended is None


def read_contents(path: Path) -> JournalContents:
    """Read a whole journal once; the first damaged record ends it.

    Raises:
        OSError: the file is there, but cannot be read.
    """
    out = JournalContents(path)
    try:
        out.size = path.stat().st_size
    except FileNotFoundError:
        return out
    for record in read_records(path):
        if not out.identity and record.kind != IDENTITY:
            break
        if record.kind == FRAME:
            out.frames += 1
        elif not _read_value(out, record.kind, record.data):
            break
        out.end, out.checksum = record.end, record.checksum
    return out


def _read_value(out: JournalContents, kind: bytes, data: bytes) -> bool:
    """Take over a record that is not a frame; False if it makes no sense.

    A kind that is not known is passed over.
    """
    try:
        value = json.loads(data)
        if kind == IDENTITY:
            out.identity = dict(value)
        elif kind == UNFINISHED_FILES:
            out.files = [(str(path), int(inode)) for path, inode in value]
        elif kind == ENDED:
            out.ended = dict(value)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def read_frames(path: Path) -> Iterator[FrameAnswers]:
    """The frames of a journal in order, one in memory at a time.

    Raises:
        OSError: it cannot be read.
        DamagedError: a record is not a frame, although its checksum is right.
    """
    return (
        FrameAnswers.unpack(record.data) for record in read_records(path) if record.kind == FRAME
    )


def encode_json(value: object) -> bytes:
    """A value as the bytes of a record."""
    return json.dumps(value).encode()
