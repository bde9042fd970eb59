"""Outputs of a finished run under other identities: made beside the old ones, replaced together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from mot_dinov3.errors import cannot_write
from mot_dinov3.io.write.paths import publish, reserve_partial

NewOf = Mapping[int, int]
"""Identity that is given up -> the one that takes its place."""

ChangeFile = Callable[[Path, Path, NewOf], None]
"""Reads one file and writes another, which exists and is empty."""


class Renaming:
    """Files that are being rewritten; none takes its place before `publish`.

    Leaving the context removes whatever was not published.

    Attributes:
        new_of: the identities.
        files: the final names of what was rewritten so far.
    """

    def __init__(self, new_of: NewOf) -> None:
        self.new_of = new_of
        self._ready: dict[Path, Path] = {}

    @property
    def files(self) -> list[Path]:
        """The final names of what was rewritten so far."""
        return list(self._ready)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        for partial in self._ready.values():
            partial.unlink(missing_ok=True)

    def reserve(self, path: Path) -> Path:
        """An empty file beside `path` that will take its place.

        Raises:
            OutputError: it cannot be made.
        """
        self._ready[path] = reserve_partial(path)
        return self._ready[path]

    def rewrite(self, source: Path, change: ChangeFile, target: Path | None = None) -> Path:
        """Write what will take the place of `target`, or of `source` itself, and say where it is.

        Raises:
            InputError: the source cannot be read.
            OutputError: there is no room.
        """
        partial = self.reserve(target or source)
        try:
            change(source, partial, self.new_of)
        except OSError as error:
            raise cannot_write(target or source, error) from error
        return partial

    def publish(self) -> None:
        """Let every new file take its place, one right after another.

        Raises:
            OutputError: the system refused; the files after that one keep the old identities.
        """
        for path, partial in self._ready.items():
            publish(partial, path, replace=True)
        self._ready = {}
