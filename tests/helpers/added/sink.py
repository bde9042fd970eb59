"""A sink that is added by this file and one line of the table: the identities of every frame."""

from __future__ import annotations

from mot_dinov3.io.write.atomic import AtomicTextFile
from mot_dinov3.outputs.sinks.base import FileSink

LINE = ("helpers.added.sink:IdsSink", "the identities of every frame")


class IdsSink(FileSink):
    """Writes the identities that a frame shows, a line a frame."""

    needs_pixels = True
    from_frame_log = True

    def __init__(self, path, timer):
        self._file = AtomicTextFile(path, flush_lines=True)
        super().__init__(path, self._file, timer)

    @classmethod
    def create(cls, path, run):
        return cls(path, run.timer)

    def write(self, frame, result):
        with self.timer("write"):
            seen = result.tracks[result.tracks.detection >= 0]
            self._file.write_line(" ".join(map(str, seen.id.tolist())))
