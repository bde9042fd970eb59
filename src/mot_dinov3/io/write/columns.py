"""Tables too long for memory: rows grow in a file that can be read at any time, and end as npz."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mot_dinov3.errors import OutputError, cannot_write
from mot_dinov3.io.write.atomic import defer_to
from mot_dinov3.io.write.paths import cannot_finish, publish, reserve_partial

ROWS_AT_ONCE = 1024


class ColumnFile:
    """An npz with one array per column, written row by row.

    Rows are appended to one structured array under a partial name (`walk.npz` as
    `walk.partial.npz`), whose header never promises more than is there: `numpy.load`, which does
    not go by names, reads it after a kill and gives columns under the same names. When the
    context ends, also after an exception elsewhere, it becomes the npz. Nothing is pickled, and
    nothing but the rows of one call is in memory.

    Every failure is an `OutputError`.

    Attributes:
        path: the final name.
        partial: where the rows are now.
        rows: how many there are.
        more: small arrays to be added at the end, name -> array.
    """

    def __init__(self, path: str | os.PathLike[str], kind: np.dtype[np.void]) -> None:
        """Name the file; it is opened when the context is entered.

        Args:
            path: the final name, which ends in `.npz`.
            kind: structured numpy type of a row, for a file in which no row is ever written.
        """
        self.path = Path(path)
        self.partial = self.path
        self.rows = 0
        self.more: dict[str, NDArray[Any]] = {}
        self._kind = kind
        self._whole = True
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.partial = reserve_partial(self.path)
        try:
            self._file = self.partial.open("wb")
            self._write_header(self._file)
        except OSError as error:
            if self._file is not None:
                with suppress(OSError):
                    self._file.close()
            raise self._explain(error) from error
        return self

    def append(self, rows: NDArray[np.void]) -> None:
        """Add (N,) rows, all of one structured type without objects."""
        if self._file is None:
            raise ValueError("ColumnFile is written outside its context")
        if not self.rows:
            self._kind = rows.dtype
        elif rows.dtype != self._kind:
            raise ValueError(f"rows of {rows.dtype} after rows of {self._kind}")
        try:
            if not self.rows:
                self._file.truncate(0)  # the head may be shorter than that of no rows
                self._write_header(self._file)
            self._file.seek(0, os.SEEK_END)
            self._file.write(rows.tobytes())
            self._file.flush()
            self.rows += len(rows)
            self._write_header(self._file)
        except OSError as error:
            self._whole = False
            raise self._explain(error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        with defer_to(kind):
            self._finish(file)

    def _write_header(self, file: IO[bytes]) -> None:
        """Write the head of the npy; numpy leaves room in it for the number of rows to grow."""
        file.seek(0)
        npy.write_array_header_1_0(file, _build_header(self._kind, self.rows))
        file.flush()

    def _finish(self, file: IO[bytes]) -> None:
        archive = None
        try:
            file.close()
            if not self._whole:
                return
            rows = self._read()
            archive = reserve_partial(self.path)
            _write_archive(archive, rows, self.more)
        except OSError as error:
            if archive is not None:
                archive.unlink(missing_ok=True)
            if isinstance(error, FileNotFoundError):
                raise cannot_finish(self.partial, self.path, error) from error
            raise self._explain(error) from error
        publish(archive, self.path, replace=True)
        self.partial.unlink(missing_ok=True)

    def _explain(self, error: OSError) -> OutputError:
        problem = cannot_write(self.path, error)
        problem.fix += f" What was written before is in '{self.partial}', which numpy.load reads."
        return problem

    def _read(self) -> NDArray[np.void]:
        self.partial.stat()
        if not self.rows:
            return np.empty(0, self._kind)
        return np.load(self.partial, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def _write_archive(path: Path, rows: NDArray[np.void], more: Mapping[str, NDArray[Any]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in rows.dtype.names or ():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                column = rows.dtype[name]
                npy.write_array_header_1_0(
                    member, _build_header(column.base, len(rows), column.shape)
                )
                for start in range(0, len(rows), ROWS_AT_ONCE):
                    member.write(rows[name][start : start + ROWS_AT_ONCE].tobytes())
        for name, array in more.items():
            with archive.open(f"{name}.npy", "w") as member:
                npy.write_array(member, array, allow_pickle=False)


def _build_header(kind: np.dtype[Any], rows: int, shape: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": (rows, *shape)}
