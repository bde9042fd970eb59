"""The text outputs of a run under other ids; all that has no id stays byte for byte."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from mot_dinov3.errors import InputError
from mot_dinov3.runs.relink.renaming import ChangeFile, NewOf

Change = Callable[[Sequence[str], NewOf], Iterable[str]]
"""The lines of one frame, without their line breaks -> the same under the new ids."""

SEEN_COLUMN = 6
"""Column of `--save-csv`: 1 where the track has a detection, 0 where its box is predicted."""


def create_change(change: Change, *, together: bool = False) -> ChangeFile:
    """A function that rewrites a text file line by line.

    Args:
        change: rewrites the lines of a block.
        together: a block is all lines of a frame, not a single line.
    """

    def change_file(source: Path, target: Path, new_of: NewOf) -> None:
        try:
            lines = source.open(encoding="utf-8", newline="\n")
        except OSError as error:
            message = f"Cannot read '{source}': {error.strerror}."
            raise InputError(message, fix="Check the path.") from error
        with lines, target.open("w", encoding="utf-8", newline="\n") as out:
            number = 1
            try:
                for block in _split_blocks(lines, together=together):
                    out.writelines(f"{line}\n" for line in change(block, new_of))
                    number += len(block)
            except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
                raise InputError(
                    f"'{source}' line {number}: it is not what a run writes.",
                    fix="Give a file of a finished run, unchanged.",
                ) from error

    return change_file


def _split_blocks(lines: Iterable[str], *, together: bool) -> Iterator[list[str]]:
    bare = (line.removesuffix("\n") for line in lines)
    if not together:
        return ([line] for line in bare)
    return (list(block) for _, block in groupby(bare, key=lambda line: line.partition(",")[0]))


def rename_frame_line(lines: Sequence[str], new_of: NewOf) -> Iterator[str]:
    """A line of `--save-jsonl`."""
    record: dict[str, Any] = json.loads(lines[0])
    tracks = record["tracks"]
    known = [(track["id"], track["detection"] is not None) for track in tracks]
    chosen = choose_rows(known, new_of)
    record["tracks"] = [tracks[row] | {"id": number} for row, number in chosen.items()]
    for look in record.get("looks", ()):
        look["id"] = new_of.get(look["id"], look["id"])
        renamed = [[new_of.get(other, other), value] for other, value in look["resembles"]]
        look["resembles"] = [pair for pair in renamed if pair[0] != look["id"]]
    yield format_json(record)


def rename_trace_line(lines: Sequence[str], new_of: NewOf) -> Iterator[str]:
    """A line of `--save-trace`."""
    record: dict[str, Any] = json.loads(lines[0])
    record["track"] = new_of.get(record["track"], record["track"])
    yield format_json(record)


def rename_mot_line(lines: Sequence[str], new_of: NewOf) -> Iterator[str]:
    """A line of `--save-mot`: the id is the second number; it holds no predicted box."""
    frame, number, rest = lines[0].split(",", 2)
    yield f"{frame},{new_of.get(int(number), int(number))},{rest}"


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


def choose_rows(rows: Sequence[tuple[int, bool]], new_of: NewOf) -> dict[int, int]:
    """Row -> new id of the tracks of a frame that stay.

    When an object comes back soon, its new track begins while the box of its old one is still
    predicted. Both have the same new id in such a frame. The track with a detection stays, or else
    the later one.

    Args:
        rows: old id of each track, and whether it has a detection.
        new_of: id that is given up -> the one that takes its place.
    """
    names = [new_of.get(old, old) for old, _ in rows]
    best: dict[int, tuple[bool, int, int]] = {}
    for row, (old, seen) in enumerate(rows):
        best[names[row]] = max(best.get(names[row], (False, -1, -1)), (seen, old, row))
    return {row: name for row, name in enumerate(names) if best[name][2] == row}


def format_json(record: Mapping[str, Any]) -> str:
    """JSON as the sinks write it."""
    return json.dumps(record, allow_nan=False, separators=(",", ":"))


TEXTS: Mapping[str, ChangeFile] = {
    "jsonl": create_change(rename_frame_line),
    "trace": create_change(rename_trace_line),
    "mot": create_change(rename_mot_line),
    "csv": create_change(rename_csv_lines, together=True),
}
"""Kind of text output -> what rewrites it."""
