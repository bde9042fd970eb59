"""Tracks as XML for the annotation tool CVAT, to be corrected by hand."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import OutputError, UsageError
from mot_dinov3.io.formats.cvat import (
    CvatBox,
    CvatBoxes,
    CvatTask,
    name_class,
    rename_cvat,
    write_cvat,
)
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.io.write.atomic import AtomicTextFile, defer_to
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult, Tracks
from mot_dinov3.values.boxes import clip


class CvatSink(FileSink):
    """A track for every confirmed identity, with a box in every frame in which it is seen.

    Where it is not seen any more, a box says so, as CVAT draws it on otherwise. The file is
    written when the run ends.
    """

    from_frame_log = True
    rename = staticmethod(rename_cvat)

    def __init__(
        self, path: str, names: Mapping[int, str], info: SourceInfo, timer: StageTimer
    ) -> None:
        self._file = AtomicTextFile(path)
        self._names, self._info = names, info
        self._boxes, self._stack = CvatBoxes(), ExitStack()
        self._seen: dict[int, CvatBox] = {}
        self._last, self._step, self._size = -1, 1, (info.width, info.height)
        super().__init__(path, self._file, timer)

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`."""
        return cls(path, run.names, run.info, run.timer)

    @classmethod
    def check(cls, path: str, config: TrackConfig) -> None:
        """Refuse a name that CVAT would not take.

        Raises:
            UsageError: it does not end in .xml.
        """
        if Path(path).suffix.lower() != ".xml":
            raise UsageError(
                f"--save-cvat must be a name that ends in .xml, got {path}.",
                fix="Give --save-cvat another value.",
            )

    def __enter__(self) -> Self:
        super().__enter__()
        self._stack.enter_context(self._boxes)
        return self

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Keep one frame's boxes.

        Raises:
            OutputError: there is no room for them.
        """
        with self.timer("write"):
            here = self._find_boxes(frame, result.tracks)
            gone = [
                last._replace(frame=frame.index, outside=True)
                for track, last in self._seen.items()
                if track not in here
            ]
            self._boxes.add([*here.values(), *gone])
            self._step = frame.index - self._last if self._last >= 0 else 1
            self._seen, self._last = here, frame.index
            self._size = (frame.width, frame.height)

    def _find_boxes(self, frame: Frame, tracks: Tracks) -> dict[int, CvatBox]:
        """Track -> its box, cut to the picture, of the confirmed tracks that are seen."""
        seen = tracks.present & np.isfinite(tracks.xyxy).all(axis=1)
        inside = clip(tracks.xyxy, frame.width, frame.height)
        seen &= (inside[:, 2:] > inside[:, :2]).all(axis=1)
        here = {}
        for row in np.flatnonzero(seen).tolist():
            track, class_id = int(tracks.id[row]), int(tracks.class_id[row])
            label = name_class(class_id, self._names)
            here[track] = CvatBox(track, frame.index, False, label, *inside[row].tolist())
        return here

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            try:
                with defer_to(kind):
                    self._finish()
            finally:
                super().__exit__(kind, error, trace)

    def _finish(self) -> None:
        """Write the document; one that is not whole keeps its partial name."""
        try:
            self._write_document()
        except OutputError:
            self._file.leave_partial()
            raise

    def _write_document(self) -> None:
        after, last = self._last + self._step, self._last
        if self._seen and after < self._info.frame_count:  # the source goes on after the run
            last = after
            ends = [box._replace(frame=after, outside=True) for box in self._seen.values()]
            self._boxes.add(ends)
        task = CvatTask(Path(self._info.name).name, last + 1, *self._size)
        write_cvat(self._file.write_line, self._boxes, task)
