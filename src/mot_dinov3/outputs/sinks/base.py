"""What every sink has in common: a file that opens with the run and is finished with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from mot_dinov3.config import OutputConfig, TrackConfig
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.outputs.sinks.renaming import NewOf
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import EmbedderMark, Frame, FrameResult


@dataclass(frozen=True, slots=True)
class SinkRun:
    """The run that a sink is made for.

    Attributes:
        config: all stages.
        info: the source.
        names: class id -> name.
        timer: where "draw" and "write" are booked.
        mark: of the embedder; None where there is none, or it is not known.
    """

    config: TrackConfig
    info: SourceInfo
    names: Mapping[int, str]
    timer: StageTimer
    mark: EmbedderMark | None = None


class FileSink(ABC):
    """Takes every frame and its result, in order, into one file or directory.

    A sink books its time as "draw" and "write" in the `StageTimer` that it was built with. Leaving
    the context finishes the file, also after an exception: what was written stays readable.
    Failures are `OutputError`s.

    A class says of itself what the rest of the program has to know of it. To add a sink, write a
    class and its line in `factory.py`; `--save NAME=FILE` asks for it.

    Attributes:
        is_directory: it writes a new directory, not a file.
        needs_pixels: it looks at the pictures of the source.
        needs_embeddings: it has nothing to write where none is ever computed.
        from_frame_log: a frame log and the source are enough to write it again, as `render` does.
        rename: rewrites a finished file under other identities; None where only writing it again
            from a frame log can do that.
        path: where the result is, for the closing lines.
    """

    is_directory: ClassVar[bool] = False
    needs_pixels: ClassVar[bool] = False
    needs_embeddings: ClassVar[bool] = False
    from_frame_log: ClassVar[bool] = False
    rename: ClassVar[staticmethod[[Path, Path, NewOf], None] | None] = None

    def __init__(self, path: str, file: AbstractContextManager[Any], timer: StageTimer) -> None:
        """Wire the sink to its `file`, which is opened when the run begins."""
        self.path = path
        self.timer = timer
        self._open_file = file

    @classmethod
    @abstractmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`; nothing is opened yet."""

    @classmethod  # noqa: B027 - most sinks can always write
    def check(cls, path: str, config: TrackConfig) -> None:
        """Refuse what could never be written, before any model is loaded.

        Args:
            path: where the sink would write.
            config: all stages.

        Raises:
            MotError: another setting leaves the sink nothing to write, or the path cannot be used.
        """

    @classmethod
    def rename_directory(cls, path: Path, new_of: NewOf, config: OutputConfig) -> bool:
        """Put what is in a finished directory under other identities.

        Args:
            path: the directory.
            new_of: id that is given up -> the one that takes its place.
            config: all outputs.

        Returns:
            False where the class cannot do that.

        Raises:
            OutputError: the system refused.
        """
        return False

    @property
    def partial(self) -> Path | None:
        """Where the output is until the run ends, None where it has no other name."""
        partial = getattr(self._open_file, "partial", None)
        return partial if partial != Path(self.path) else None

    @property
    def encoder(self) -> str:
        """The encoder of a video, "" where none runs."""
        return ""

    @property
    def waited_s(self) -> float:
        """Seconds of its writing in which another thread was waited for."""
        return 0.0

    @property
    def threads_s(self) -> Mapping[str, float]:
        """Thread of its own -> seconds in which it was busy."""
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
