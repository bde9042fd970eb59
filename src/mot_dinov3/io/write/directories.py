"""Outputs of many small files: a directory that takes its name when it is whole."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from mot_dinov3.errors import cannot_write
from mot_dinov3.io.write.atomic import defer_to
from mot_dinov3.io.write.paths import cannot_finish, reserve_partial_directory

UNFINISHED = ".unfinished"
"""The file that is being written; it gets its own name once it is whole."""


class AtomicDirectory:
    """A new directory of files; nothing that was there before is touched.

    It grows beside its place (`crops` as `crops.partial`), where every file is whole at any time,
    and takes its name when the context ends, also after an exception elsewhere. What could not
    be written whole keeps the partial name, and so does everything if the name is taken by a
    directory that is not empty.

    Every failure is an `OutputError`.

    Attributes:
        path: the final name.
        partial: where the files are now.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.partial = self.path
        self._whole = True

    def __enter__(self) -> Self:
        self.partial = reserve_partial_directory(self.path)
        return self

    def write(self, folder: str, name: str, data: bytes) -> None:
        """Add one file to a folder inside the directory, replacing it if it was written before."""
        unfinished = self.partial / UNFINISHED
        try:
            place = self.partial / folder
            place.mkdir(exist_ok=True)
            unfinished.write_bytes(data)
            unfinished.replace(place / name)
        except OSError as error:
            self._whole = False
            raise cannot_finish(self.partial, self.path, error) from error

    def remove(self, folder: str, name: str) -> None:
        """Take back a file that was written here."""
        try:
            (self.partial / folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._whole:
            return
        with defer_to(kind):
            self._finish()

    def _finish(self) -> None:
        try:
            self.partial.rename(os.path.realpath(self.path))
        except OSError as problem:
            refusal = cannot_finish(self.partial, self.path, problem)
            if self.partial.is_dir():
                refusal.fix = f"What was written is in '{self.partial}'."
            raise refusal from problem
