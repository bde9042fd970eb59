"""What happened at lines and zones: one line of text an event, written as it happens."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.write.atomic import AtomicTextFile
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.outputs.sinks.csv_table import make_harmless
from mot_dinov3.outputs.sinks.jsonl import MS_DIGITS, TIME_DIGITS, to_number
from mot_dinov3.outputs.sinks.renaming import format_json
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult
from mot_dinov3.values.counting import CountEvent

COLUMNS = ("frame", "time_s", "event", "place", "id", "class_id", "class", "seconds")
"""The header; columns may be added at the end, never moved."""


class EventsSink(FileSink):
    """A row of CSV or a JSON object for every event, flushed one by one.

    A reader may follow the file under its partial name; a run that was killed leaves whole lines
    there.
    """

    from_frame_log = True

    def __init__(self, path: str, names: Mapping[int, str], timer: StageTimer) -> None:
        table = is_table(path)
        head = ",".join(COLUMNS) if table else ""
        self._file = AtomicTextFile(path, flush_lines=True, head=head)
        self._names = names
        self._format: Callable[[Mapping[str, Any]], str] = format_row if table else format_json
        super().__init__(path, self._file, timer)

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`."""
        return cls(path, run.names, run.timer)

    @classmethod
    def check(cls, path: str, config: TrackConfig) -> None:
        """Refuse to write events where nothing can happen, and a name that says no format.

        Raises:
            UsageError: there is neither a line nor a zone, or the name ends in something else.
        """
        if not config.count.wanted:
            raise UsageError(
                "--save-events has nothing to write without --line and --zone.",
                fix="Give one of them, such as --line door=0.5,0,0.5,1",
            )
        if Path(path).suffix.lower() not in (".csv", ".jsonl"):
            raise UsageError(
                f"'{path}' is not a name for a file of events.", fix="End it in .csv or .jsonl."
            )

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add a line per event of the frame.

        Raises:
            OutputError: the file cannot be written.
        """
        with self.timer("write"):
            for event in result.counted.events if result.counted else ():
                self._file.write_line(self._format(describe_event(event, self._names)))


def is_table(path: str) -> bool:
    """Whether a file of events is CSV; else it has a JSON object in each line."""
    return Path(path).suffix.lower() == ".csv"


def describe_event(event: CountEvent, names: Mapping[int, str]) -> dict[str, Any]:
    """An event as plain values, by the names of `COLUMNS`.

    `frame` is 0-based, `event` is "in", "out", "enter" or "leave", `place` the name of the line or
    the zone, `seconds` the length of the visit that ended, None for every other event.
    """
    seconds = None if event.seconds is None else to_number(event.seconds, MS_DIGITS)
    values = (
        *(event.frame_index, to_number(event.time_s, TIME_DIGITS), str(event.kind), event.place),
        *(event.track_id, event.class_id, names.get(event.class_id), seconds),
    )
    return dict(zip(COLUMNS, values, strict=True))


def format_row(record: Mapping[str, Any]) -> str:
    """An event as a row of CSV, without the line break; what is None is empty."""
    text = io.StringIO()
    cells = [make_harmless(v) if isinstance(v, str) else v for v in record.values()]
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
