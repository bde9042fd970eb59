"""A frame log played again beside its video: the result of every frame with its picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from mot_dinov3.errors import InputError
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.io.formats.records import FrameRecord
from mot_dinov3.io.read.sources import FrameReader
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult

SAME_TIME_S = 0.002
"""Frame logs round times to microseconds, containers to their own ticks."""

BELONG = "Give the frame log together with the source that it was made from."


@dataclass(frozen=True, slots=True)
class FrameLogSummary:
    """A frame log as a whole, from one reading that checked every line.

    Attributes:
        path: the file.
        frames: how many frames it has.
        first: index of the first frame in the source.
        last: index of the last one.
        stride: it has every stride-th frame of the source.
        names: class id -> class name.
        cut: it ends within a line, as after a kill.
        unplaced: detections of which it does not say where they were, as no track took them.
    """

    path: Path
    frames: int
    first: int
    last: int
    stride: int
    names: dict[int, str]
    cut: bool
    unplaced: int = 0


def summarise_frame_log(path: Path) -> FrameLogSummary:
    """Read a frame log once, from its first to its last line, one in memory at a time.

    Raises:
        InputError: it cannot be read, a line is not a frame, or there is no frame.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"'{path}' is not a regular file.", fix="Save it to a file first.")
    log = FrameLog(path)
    first = last = -1
    stride = unplaced = 0
    for record in log:
        index, found = record.result.frame_index, record.result.detections
        stride = 0 if first < 0 else math.gcd(stride, index - last)
        first, last = index if first < 0 else first, index
        unplaced += int((np.isnan(found.xyxy[:, 0]) & (found.class_id < 0)).sum())
    if not log.frames:
        raise InputError(
            f"'{path}' holds no frame.", fix="Give a file that --save-jsonl wrote, unchanged."
        )
    return FrameLogSummary(path, log.frames, first, last, stride or 1, log.names, log.cut, unplaced)


class FrameLogPlayer:
    """Takes the place of a system: its results are those of the frame log, nothing is computed.

    It yields the frames too, those that the log has, so that both stay in step.
    """

    def __init__(self, known: FrameLogSummary, reader: FrameReader, timer: StageTimer) -> None:
        """Play a frame log beside its source.

        Args:
            known: the log, read once before.
            reader: the open source.
            timer: shows the sinks the speed of the run.
        """
        self._known, self._reader, self._timer = known, reader, timer
        self._records: dict[int, FrameRecord] = {}

    def frames(self) -> Iterator[Frame]:
        """The pictures of the frames in the log, in order.

        Raises:
            InputError: the log and the source do not belong together.
        """
        frames, log = iter(self._reader), FrameLog(self._known.path)
        index = -1
        for record in log:
            wanted = record.result.frame_index
            if wanted > self._known.last:  # the run that writes it still goes on
                return
            for frame in frames:
                index = frame.index
                if index >= wanted:
                    break
            if index < wanted:
                raise self._mismatch(
                    log, f"is about frame {wanted}, but '{self._name}' ends with {index}"
                )
            if index > wanted:
                raise self._mismatch(
                    log, f"is about frame {wanted}, which '{self._name}' does not have"
                )
            self._require_same(log, record, frame)
            self._records[index] = record
            yield frame

    def warm_up(self, frame: Frame) -> None:
        """Nothing to warm up."""

    def pace(self, other_ms: float) -> None:
        """No budget follows the rate."""

    def step(self, frame: Frame) -> FrameResult:
        """The result of the run for this frame, without the times of its stages."""
        return replace(self._records[frame.index].result, stage_ms={})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing to close."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """As the first of the sinks, show the others the speed of the run, not of this playing."""
        self._timer.fps = self._records.pop(frame.index).fps

    @property
    def _name(self) -> str:
        return self._reader.info.name

    def _require_same(self, log: FrameLog, record: FrameRecord, frame: Frame) -> None:
        size, time_s = (frame.width, frame.height), record.result.time_s
        if record.size is not None and record.size != size:
            width, height = record.size
            raise self._mismatch(
                log,
                f"is about a picture of {width}x{height} pixels, but '{self._name}' has "
                f"{frame.width}x{frame.height}",
            )
        if abs(time_s - frame.time_s) > SAME_TIME_S:
            raise self._mismatch(
                log,
                f"has frame {frame.index} at {time_s:.3f} s, but '{self._name}' shows it at "
                f"{frame.time_s:.3f} s",
            )

    def _mismatch(self, log: FrameLog, reason: str) -> InputError:
        # The log has one frame in each line.
        return InputError(
            f"'{log.path}' line {log.frames} {reason}.",
            fix=BELONG,
        )
