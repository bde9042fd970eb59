"""Outputs of a finished run under other ids: written beside the old ones, replaced together."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from mot_dinov3.errors import cannot_write
from mot_dinov3.io.write.paths import publish, reserve_partial
from mot_dinov3.outputs.sinks.renaming import NewOf, RenameFile


class Renaming:
    """Files that are being rewritten; none takes its place before `publish`.

    Leaving the context removes all that was not published.

    Attributes:
        new_of: id that is given up -> the one that takes its place.
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

    def rewrite(self, source: Path, change: RenameFile, target: Path | None = None) -> Path:
        """Write the file that will take the place of `target`, or of `source` if that is left out.

        Args:
            source: what is read.
            change: rewrites it.
            target: the final name.

        Returns:
            The new file, under its temporary name.

        Raises:
            InputError: the source cannot be read.
            OutputError: the new file cannot be written.
        """
        partial = self.reserve(target or source)
        try:
            change(source, partial, self.new_of)
        except OSError as error:
            raise cannot_write(target or source, error) from error
        return partial

    def publish(self) -> None:
        """Give every new file its final name, one right after another.

        Raises:
            OutputError: the system refused; the files after that one keep the old ids.
        """
        for path, partial in self._ready.items():
            publish(partial, path, replace=True)
        self._ready = {}
