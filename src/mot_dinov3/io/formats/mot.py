"""MOT text: the only place where frames count from 1 and boxes are left, top, width, height."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.errors import InputError, cannot_read
from mot_dinov3.io.formats.mot_classes import number_class
from mot_dinov3.io.write.atomic import AtomicTextFile
from mot_dinov3.runtime.limits import BOXES
from mot_dinov3.runtime.opening import decode_text, find_encoding, open_text, read_regular
from mot_dinov3.values import SEARCHED, FloatArray, IntArray, Tracks, check_shapes
from mot_dinov3.wording import counted

Rows = NDArray[np.float64]

BOX_COLUMNS = 6
"""frame, id, left, top, width, height: the least a line must have."""
MAX_COLUMNS = 10
MOST_NUMBER = 1e9
"""Frames, identities and pixels beyond this are damage, not data."""


@dataclass(frozen=True, slots=True)
class MotTable:
    """The boxes of a MOT file, sorted by frame; row i of every array is the same box.

    Attributes:
        frame_index: (N,) int64, 0-based, ascending.
        track_id: (N,) int64, -1 where the file names no identity.
        xyxy: (N, 4) float32, pixels.
        score: (N,) float32, the seventh column as it stands: a confidence, or the flag of a
            ground truth (0 = do not count); 1 where the file has no such column.
        class_id: (N,) int64, the MOTChallenge class from 1, -1 where the file names none.
        visibility: (N,) float32 in [0, 1], 1 where the file says nothing.
    """

    frame_index: IntArray
    track_id: IntArray
    xyxy: FloatArray
    score: FloatArray
    class_id: IntArray
    visibility: FloatArray

    def __post_init__(self) -> None:
        n = len(self.frame_index)
        check_shapes(
            "MotTable",
            track_id=(self.track_id, (n,)),
            xyxy=(self.xyxy, (n, 4)),
            score=(self.score, (n,)),
            class_id=(self.class_id, (n,)),
            visibility=(self.visibility, (n,)),
        )
        if n and (np.diff(self.frame_index) < 0).any():
            raise ValueError("MotTable.frame_index must ascend")

    def __len__(self) -> int:
        return len(self.frame_index)

    def rows_of(self, frame_index: int) -> slice:
        """Which rows belong to a 0-based frame; an empty slice where there is none."""
        first, last = np.searchsorted(self.frame_index, [frame_index, frame_index + 1])
        return slice(int(first), int(last))

    def cut(self, first: int, last: int) -> MotTable:
        """The rows of the 0-based frames `first` to `last`, both included, counted from 0 anew."""
        start, end = np.searchsorted(self.frame_index, [first, last + 1]).tolist()
        columns = {item.name: getattr(self, item.name)[start:end] for item in fields(self)}
        return MotTable(**{**columns, "frame_index": columns["frame_index"] - first})


def read_mot(path: str | os.PathLike[str]) -> MotTable:
    """Read detections, results or a ground truth in MOTChallenge text.

    Commas or blanks separate the columns; empty lines and lines that start with `#` are
    skipped. Columns: frame (from 1), id, left, top, width, height, confidence, then either
    class and visibility (ground truth) or three world coordinates, which are ignored.
    Format: https://motchallenge.net/instructions/

    Raises:
        InputError: the file cannot be read, or a line of it makes no sense.
    """
    rows = _read_rows(Path(path))
    _check_rows(rows, Path(path))
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    n, columns = rows.shape
    class_id, visibility = _read_class_and_visibility(rows)
    xyxy = rows[:, 2:6].copy()
    xyxy[:, 2:] += xyxy[:, :2]
    return MotTable(
        frame_index=rows[:, 0].astype(np.int64) - 1,
        track_id=rows[:, 1].astype(np.int64),
        xyxy=xyxy.astype(np.float32),
        score=(rows[:, 6] if columns > 6 else np.ones(n)).astype(np.float32),
        class_id=class_id,
        visibility=visibility,
    )


def _read_class_and_visibility(rows: Rows) -> tuple[IntArray, FloatArray]:
    n, columns = rows.shape
    class_id, visibility = np.full(n, -1, np.int64), np.ones(n, np.float32)
    if columns in (8, 9):
        named = rows[:, 7] > 0
    elif columns >= MAX_COLUMNS:
        whole = (rows[:, 7] > 0) & (rows[:, 7] % 1 == 0)
        named = whole & (rows[:, 8:10] == -1).all(axis=1)
    else:
        return class_id, visibility
    class_id[named] = rows[named, 7].astype(np.int64)
    if columns == 9:
        visibility = np.where(rows[:, 8] >= 0, rows[:, 8], 1).astype(np.float32)
    return class_id, visibility


def _read_rows(path: Path) -> Rows:
    try:
        with open_text(path, BOXES) as file, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*input contained no data", append=False)
            text = TextIOWrapper(file, find_encoding(file.peek(4)))
            rows = _parse_rows(text)
    except OSError as error:
        raise cannot_read(path, error) from error
    except ValueError as error:
        raise _first_bad_line(path) from error
    return rows if rows.size else np.empty((0, BOX_COLUMNS + 1))


def _parse_rows(text: TextIOWrapper) -> Rows:
    """Parse the numbers; lines of blanks, which the fast way stumbles over, are left out."""
    delimiter = _find_delimiter(text)
    text.seek(0)
    try:
        rows: Rows = np.loadtxt(text, delimiter=delimiter, ndmin=2)
    except ValueError:
        text.seek(0)
        lines = (line for line in text if line.strip())
        rows = np.loadtxt(lines, delimiter=delimiter, ndmin=2)
    return rows


def _find_delimiter(lines: Iterable[str]) -> str | None:
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            return "," if "," in line else None
    return None


def _check_rows(rows: Rows, path: Path) -> None:
    """Find what numbers alone can get wrong; the slow search for the line runs only then."""
    bad = rows.shape[1] < BOX_COLUMNS or not np.isfinite(rows).all()
    bad = bad or bool((rows[:, 0] < 1).any() or (rows[:, :2] % 1 != 0).any())
    bad = bad or bool((np.abs(rows) > MOST_NUMBER).any())
    if bad or bool((rows[:, 4:6] < 0).any()):
        raise _first_bad_line(path)


def _first_bad_line(path: Path) -> InputError:
    """Walk the file in the way a person would, to name the first line that is wrong."""
    width, comma = 0, False
    for number, raw in read_mot_lines(path):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        comma = comma if width else "," in line
        values = [word.strip() for word in (line.split(",") if comma else line.split())]
        width = width or len(values)
        if wrong := _find_fault(values, width):
            return InputError(
                f"'{path}' line {number}: {wrong}.",
                fix="A line is: frame,id,left,top,width,height,confidence[,class,visibility]",
            )
    return InputError(f"'{path}' is not MOT text.", fix="Give a file in MOTChallenge format.")


def read_mot_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, text) of each line, whatever is in it."""
    data = read_regular(path, BOXES.most_bytes)
    return enumerate(decode_text(data, "replace").splitlines(), 1)


def _find_fault(values: list[str], width: int) -> str:
    """Find one reason to refuse a line, in words; "" when the line is good."""
    if len(values) < BOX_COLUMNS:
        return f"{counted(len(values), 'column')}, at least {BOX_COLUMNS} are needed"
    if len(values) != width:
        return f"{counted(len(values), 'column')}, but the lines before have {width}"
    numbers = []
    for word in values:
        try:
            numbers.append(float(word))
        except ValueError:
            return f"'{word[:40]}' is not a number"
    return _find_odd_number(values, numbers)


def _find_odd_number(values: list[str], numbers: list[float]) -> str:
    """Find one reason why numbers make no row; "" when they do."""
    odd = {
        "a number is not finite": not np.isfinite(numbers).all(),
        f"frame {values[0][:40]} must be a whole number from 1": numbers[0] < 1 or numbers[0] % 1,
        f"identity {values[1][:40]} must be a whole number": numbers[1] % 1,
        f"a number is beyond {MOST_NUMBER:g}": max(map(abs, numbers)) > MOST_NUMBER,
        "width and height must not be negative": min(numbers[4:6]) < 0,
    }
    return next((reason for reason, is_so in odd.items() if is_so), "")


class MotWriter:
    """Writes results as MOT text: one line per confirmed track that is seen in a frame.

    The file takes its final name when the context ends; see `AtomicTextFile`. Frames reach the
    disk one by one, so that a full one or a killed run costs no more than the last of them.
    """

    def __init__(
        self, path: str | os.PathLike[str], names: Mapping[int, str] | None = None
    ) -> None:
        """Write to a file.

        Args:
            path: the file.
            names: class id -> name, which decide what stands in the column of the class; None to
                write no class (-1).
        """
        self._file = AtomicTextFile(path, flush_lines=True)
        self._names = names

    @property
    def partial(self) -> Path:
        """Where the text is now."""
        return self._file.partial

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def write(self, frame_index: int, tracks: Tracks, *, searched: bool = False) -> None:
        """Add the confirmed tracks seen in a 0-based frame, and if asked for those `searched`."""
        lines = []
        for row in np.flatnonzero(tracks.present | (searched & (tracks.state == SEARCHED))):
            left, top, right, bottom = tracks.xyxy[row].tolist()
            lines.append(
                f"{frame_index + 1},{tracks.id[row]},{left:.2f},{top:.2f},"
                f"{right - left:.2f},{bottom - top:.2f},{tracks.score[row]:.4f},"
                f"{self._number(int(tracks.class_id[row]))},-1,-1"
            )
        if lines:
            self._file.write_line("\n".join(lines))

    def _number(self, class_id: int) -> int:
        if self._names is None:
            return -1
        return number_class(class_id, self._names.get(class_id, ""))


def write_ground_truth(path: str | os.PathLike[str], table: MotTable) -> None:
    """Write known identities in the ground truth form, one line per box.

    Columns: frame, id, left, top, width, height, flag, class, visibility. The flag is 1 where
    `score` is above 0; a class that is not known becomes 1 (pedestrian).

    Raises:
        OutputError: the file cannot be written.
    """
    with AtomicTextFile(path) as file:
        for row in range(len(table)):
            left, top, right, bottom = table.xyxy[row].tolist()
            file.write_line(
                f"{table.frame_index[row] + 1},{table.track_id[row]},{left:.2f},{top:.2f},"
                f"{right - left:.2f},{bottom - top:.2f},{int(table.score[row] > 0)},"
                f"{table.class_id[row] if table.class_id[row] > 0 else 1},"
                f"{table.visibility[row]:.3f}"
            )
