"""Rewrites text outputs under other ids; all that has no id stays byte for byte."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from mot_dinov3.errors import InputError, cannot_read
from mot_dinov3.runtime.opening import open_regular

NewOf = Mapping[int, int]
"""Id that is given up -> the one that takes its place."""


class NewIds(dict[int, int]):
    """New ids, and what their tracks are called.

    Attributes:
        names: new id -> name.
    """

    def __init__(self, new_of: NewOf, names: Mapping[int, str]) -> None:
        super().__init__(new_of)
        self.names = names


RenameFile = Callable[[Path, Path, NewOf], None]
"""Reads the first file and writes the second one, which exists and is empty."""

ChangeLines = Callable[[Sequence[str], NewOf], Iterable[str]]
"""The lines of one frame, without their line breaks -> the same under the new ids."""


def create_renamer(change: ChangeLines, *, together: bool = False) -> RenameFile:
    """A function that rewrites a text file line by line.

    Args:
        change: rewrites the lines of a block.
        together: a block is all lines of a frame, not a single line.
    """

    def rename_file(source: Path, target: Path, new_of: NewOf) -> None:
        try:
            lines = io.TextIOWrapper(open_regular(source), encoding="utf-8", newline="\n")
        except OSError as error:
            raise cannot_read(source, error) from error
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

    return rename_file


def _split_blocks(lines: Iterable[str], *, together: bool) -> Iterator[list[str]]:
    bare = (line.removesuffix("\n") for line in lines)
    if not together:
        return ([line] for line in bare)
    return (list(block) for _, block in groupby(bare, key=lambda line: line.partition(",")[0]))


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
