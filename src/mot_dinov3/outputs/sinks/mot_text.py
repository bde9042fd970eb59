"""Results as MOTChallenge text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from mot_dinov3.io.formats.mot import MotWriter
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.outputs.sinks.renaming import NewOf, create_renamer
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult


def rename_mot_line(lines: Sequence[str], new_of: NewOf) -> Iterator[str]:
    """A line of `--save-mot`: the id is the second number; it holds no predicted box."""
    frame, number, rest = lines[0].split(",", 2)
    yield f"{frame},{new_of.get(int(number), int(number))},{rest}"


class MotTextSink(FileSink):
    """One line per confirmed track that is seen; the file is complete when the run ends.

    Boxes that a searcher found are left out, unless `--save-searched` asks for them.
    """

    from_frame_log = True
    rename = staticmethod(create_renamer(rename_mot_line))

    def __init__(
        self, path: str, names: Mapping[int, str], timer: StageTimer, *, searched: bool = False
    ) -> None:
        self._writer, self._searched = MotWriter(path, names), searched
        super().__init__(path, self._writer, timer)

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`."""
        return cls(path, run.names, run.timer, searched=run.config.search.save_searched)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add one frame's lines.

        Raises:
            OutputError: the file cannot be written.
        """
        with self.timer("write"):
            self._writer.write(frame.index, result.tracks, searched=self._searched)
