"""A journal told again beside its video: every frame of it with the picture that it is about."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from mot_dinov3.errors import InputError
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.io.formats.records import FrameRecord
from mot_dinov3.io.read.sources import FrameReader
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult

SAME_TIME_S = 0.002
"""Journals round times to microseconds, containers to their own ticks."""

BELONG = "Give the journal together with the source that it was made from."


@dataclass(frozen=True, slots=True)
class Survey:
    """A journal as a whole, from one reading that proved every line.

    Attributes:
        path: the file.
        frames: how many frames it has.
        first: index of the first frame in the source.
        last: index of the last one.
        stride: every how many frames of the source it has one.
        names: class id -> name.
        cut: whether it ends within a line, as after a kill.
    """

    path: Path
    frames: int
    first: int
    last: int
    stride: int
    names: dict[int, str]
    cut: bool


def survey(path: Path) -> Survey:
    """Read a journal once, from its first to its last line, one in memory at a time.

    Raises:
        InputError: it cannot be read, a line is no frame, or there is none.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"'{path}' is no regular file.", fix="Save it to a file first.")
    journal = FrameLog(path)
    indices = (record.result.frame_index for record in journal)
    first = last = next(indices, -1)
    stride = 0
    for index in indices:
        stride, last = math.gcd(stride, index - last), index
    if not journal.frames:
        raise InputError(
            f"'{path}' holds no frame.", fix="Give a file that --save-jsonl wrote, unchanged."
        )
    return Survey(path, journal.frames, first, last, stride or 1, journal.names, journal.cut)


class Retelling:
    """Plays the tracker: says of every frame what the journal says, and computes nothing.

    It gives the frames too, those that the journal has, so that both stay in step.
    """

    def __init__(self, known: Survey, reader: FrameReader, timer: StageTimer) -> None:
        """Wire a surveyed journal to its open source; `timer` is told the speed of the run."""
        self._known, self._reader, self._timer = known, reader, timer
        self._records: dict[int, FrameRecord] = {}

    def frames(self) -> Iterator[Frame]:
        """The pictures of the journal's frames, in order.

        Raises:
            InputError: journal and source do not belong together.
        """
        frames, journal = iter(self._reader), FrameLog(self._known.path)
        index = -1
        for record in journal:
            wanted = record.result.frame_index
            if wanted > self._known.last:  # the run that writes it still goes on
                return
            for frame in frames:
                index = frame.index
                if index >= wanted:
                    break
            if index < wanted:
                raise self._misfit(
                    journal, f"is about frame {wanted}, but '{self._name}' ends with {index}"
                )
            if index > wanted:
                raise self._misfit(
                    journal, f"is about frame {wanted}, which '{self._name}' does not have"
                )
            self._require_same(journal, record, frame)
            self._records[index] = record
            yield frame

    def warm_up(self, frame: Frame) -> None:
        """Nothing is cold."""

    def pace(self, other_ms: float) -> None:
        """Nothing can be done about the time."""

    def step(self, frame: Frame) -> FrameResult:
        """What the run said of this frame; the stages are those of the retelling."""
        return replace(self._records[frame.index].result, stage_ms={})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing is held."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """As the first of the sinks, show the others the speed of the run, not of its retelling."""
        self._timer.fps = self._records.pop(frame.index).fps

    @property
    def _name(self) -> str:
        return self._reader.info.name

    def _require_same(self, journal: FrameLog, record: FrameRecord, frame: Frame) -> None:
        size, time_s = (frame.width, frame.height), record.result.time_s
        if record.size is not None and record.size != size:
            width, height = record.size
            raise self._misfit(
                journal,
                f"is about a picture of {width}x{height} pixels, but '{self._name}' has "
                f"{frame.width}x{frame.height}",
            )
        if abs(time_s - frame.time_s) > SAME_TIME_S:
            raise self._misfit(
                journal,
                f"has frame {frame.index} at {time_s:.3f} s, but '{self._name}' shows it at "
                f"{frame.time_s:.3f} s",
            )

    def _misfit(self, journal: FrameLog, reason: str) -> InputError:
        # A journal has a frame a line.
        return InputError(
            f"'{journal.path}' line {journal.frames} {reason}.",
            fix=BELONG,
        )
