"""Reads the frame log that `--save-jsonl` wrote, frame by frame, also that of a killed run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mot_dinov3.errors import InputError, cannot_read
from mot_dinov3.io.formats.records import BadRecordError, FrameRecord, TornRecordError, parse_record
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.runtime.opening import open_regular
from mot_dinov3.values import FrameResult

MOST_LINE_BYTES = 4 * 2**20
"""Some 20,000 tracks: a longer line is not a frame."""


class FrameLog:
    """The frames of a frame log in order; it can be iterated again and again.

    One line is in memory at a time. A killed run leaves a last line that has no line break and is
    not JSON: it is passed over, and `cut` says so. Everything else that is wrong is an error
    which names file and line.

    Attributes:
        path: the file.
        names: class id -> name, of the classes met so far.
        frames: how many frames were read in this iteration.
        end: offset in bytes behind the last whole line that was read in this iteration.
        cut: whether half a line was passed over at the end.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.names: dict[int, str] = {}
        self.frames = self.end = 0
        self.cut = False
        self._last = -1

    def __iter__(self) -> Iterator[FrameRecord]:
        """The frames.

        Raises:
            InputError: the file cannot be read, a line is not a frame, or frames do not ascend.
        """
        refuse_pointer(self.path, InputError)
        self.frames, self.end, self.cut, self._last = 0, 0, False, -1
        try:
            with open_regular(self.path) as file:
                yield from self._read_records(file)
        except OSError as error:
            raise cannot_read(self.path, error) from error

    def _read_records(self, file: BinaryIO) -> Iterator[FrameRecord]:
        number = 0
        while line := file.readline(MOST_LINE_BYTES + 1):
            number += 1
            if len(line) > MOST_LINE_BYTES:
                raise self._error_at(number, f"is longer than {MOST_LINE_BYTES} bytes")
            try:
                record = parse_record(line)
            except BadRecordError as error:
                self.cut = isinstance(error, TornRecordError) and not line.endswith(b"\n")
                if self.cut:
                    return
                raise self._error_at(number, str(error)) from error
            self._accept(number, record)
            self.end += len(line)
            yield record

    def _accept(self, number: int, record: FrameRecord) -> None:
        index = record.result.frame_index
        if index <= self._last:
            raise self._error_at(number, f"has frame {index} after frame {self._last}")
        for class_id, name in record.names.items():
            if self.names.setdefault(class_id, name) != name:
                raise self._error_at(number, f"gives class {class_id} another name than before")
        self._last = index
        self.frames += 1

    def _error_at(self, number: int, reason: str) -> InputError:
        return InputError(
            f"'{self.path}' line {number}: {reason}.",
            fix="Give a file that --save-jsonl wrote, unchanged.",
        )


def read_results(path: str | os.PathLike[str]) -> Iterator[FrameResult]:
    """Read the results of a frame log, frame by frame; half a last line is passed over.

    For names of classes, sizes and speeds iterate a `FrameLog`.

    Raises:
        InputError: the file cannot be read, or a line is not a frame; it names the line.
    """
    for record in FrameLog(path):
        yield record.result
