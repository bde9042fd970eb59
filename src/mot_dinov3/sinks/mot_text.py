"""Results as MOTChallenge text."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from mot_dinov3.io.mot import MotWriter
from mot_dinov3.structures import Frame, FrameResult
from mot_dinov3.timing import StageTimer


class MotTextSink:
    """One line per confirmed track that is seen; the file is complete when the run ends."""

    path: str

    def __init__(self, path: str, timer: StageTimer) -> None:
        self.path = path
        self._writer = MotWriter(path)
        self._timer = timer

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add one frame's lines.

        Raises:
            OutputError: the file cannot be written.
        """
        with self._timer("write"):
            self._writer.write(frame.index, result.tracks)
