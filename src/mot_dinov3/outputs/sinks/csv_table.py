"""Tracks as a table for spreadsheets: one row a track a frame."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from mot_dinov3.io.write.atomic import AtomicTextFile
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.outputs.sinks.jsonl import TIME_DIGITS, to_number
from mot_dinov3.outputs.sinks.renaming import NewOf, choose_rows, create_renamer
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult, TrackState

PIXEL_DIGITS, SCORE_DIGITS = 2, 4
COLUMNS = (
    *("frame", "time_s", "id", "class_id", "class", "state", "seen", "embedded"),
    *("x1", "y1", "x2", "y2", "score"),
)
"""The header; columns may be added at the end, never moved."""
SEEN_COLUMN = COLUMNS.index("seen")

UNSEEN = re.compile(r"[^\x20-\U0010ffff]|[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Line breaks, other control characters and halves of characters: they would break the rows."""
FORMULA = re.compile(r"(^|[;,|\"'])(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet would begin to calculate: at the start of a cell, or behind a character that
ends a cell in some countries (OWASP, CSV injection)."""


def rename_csv_lines(lines: Sequence[str], new_of: NewOf) -> Iterator[str]:
    """The lines of a frame of `--save-csv`, or its header: the id is the third column."""
    if not lines[0].partition(",")[0].isdigit():
        yield from lines
        return
    cells = [line.split(",", 3) for line in lines]
    seen = [row[SEEN_COLUMN] == "1" for row in csv.reader(lines)]
    known = [(int(row[2]), is_seen) for row, is_seen in zip(cells, seen, strict=True)]
    for row, number in choose_rows(known, new_of).items():
        frame, time_s, _, rest = cells[row]
        yield f"{frame},{time_s},{number},{rest}"


class CsvSink(FileSink):
    """One row per track and frame, lost ones included, flushed frame by frame.

    A run that was killed leaves whole rows under the partial name.
    """

    from_frame_log = True
    rename = staticmethod(create_renamer(rename_csv_lines, together=True))

    def __init__(self, path: str, names: Mapping[int, str], timer: StageTimer) -> None:
        self._file = AtomicTextFile(path, flush_lines=True, head=",".join(COLUMNS))
        self._names = names
        super().__init__(path, self._file, timer)

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`."""
        return cls(path, run.names, run.timer)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add a row per track.

        Raises:
            OutputError: the file cannot be written.
        """
        with self.timer("write"):
            if len(result.tracks):
                self._file.write_line(format_rows(result, self._names))


def format_rows(result: FrameResult, names: Mapping[int, str]) -> str:
    """The rows of one frame as CSV, without the last line break.

    Columns: `frame` (0-based), `time_s`, `id`, `class_id`, `class`, `state`, `seen` (0 while the
    box is only predicted), `embedded` (in this frame), the box in pixels, `score`. What is not
    finite is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    tracks = result.tracks
    for row in range(len(tracks)):
        class_id = int(tracks.class_id[row])
        writer.writerow(
            [
                result.frame_index,
                to_number(result.time_s, TIME_DIGITS),
                int(tracks.id[row]),
                class_id,
                make_harmless(names.get(class_id, "")),
                TrackState(int(tracks.state[row])).name.lower(),
                int(tracks.detection[row] >= 0),
                int(tracks.fresh[row]),
                *(to_number(value, PIXEL_DIGITS) for value in tracks.xyxy[row].tolist()),
                to_number(float(tracks.score[row]), SCORE_DIGITS),
            ]
        )
    return text.getvalue().removesuffix("\n")


def make_harmless(name: str) -> str:
    """A name that no spreadsheet takes for a formula, on one line: a `'` goes before `=` and such.

    The detector's weights decide what classes are called, so a name may be anything.
    """
    return FORMULA.sub(r"\1\2'", UNSEEN.sub(" ", name))
