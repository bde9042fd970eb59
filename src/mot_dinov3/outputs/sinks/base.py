"""What every sink has in common: a file that opens with the run and is finished with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult


class FileSink(ABC):
    """Takes every frame and its result, in order, into one file.

    It books its time as "draw" and "write" in the `StageTimer` that it was built with. Leaving
    the context finishes the file, also after an exception: what was written stays readable.
    Failures are `OutputError`s.

    Attributes:
        path: where the result is, for the closing lines.
    """

    def __init__(self, path: str, file: AbstractContextManager[Any], timer: StageTimer) -> None:
        """Wire the sink to its `file`, which is opened when the run begins."""
        self.path = path
        self.timer = timer
        self._open_file = file

    @property
    def partial(self) -> Path | None:
        """Where the output is until the run ends, None where it has no other name."""
        partial = getattr(self._open_file, "partial", None)
        return partial if partial != Path(self.path) else None

    @property
    def waited_s(self) -> float:
        """Seconds of its writing in which another thread was waited for."""
        return 0.0

    @property
    def threads_s(self) -> Mapping[str, float]:
        """Thread of its own -> seconds that it was busy."""
        return {}

    def __enter__(self) -> Self:
        self._open_file.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open_file.__exit__(kind, error, trace)

    @abstractmethod
    def write(self, frame: Frame, result: FrameResult) -> None:
        """Keep one frame's result."""
