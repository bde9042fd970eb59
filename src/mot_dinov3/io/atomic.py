"""Text outputs that appear under their final name only when they are whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from mot_dinov3.errors import OutputError

PARTIAL = ".partial"


def partial_path(path: str | os.PathLike[str]) -> Path:
    """Where a text output grows until it is finished: the final name plus `.partial`."""
    return Path(f"{os.fspath(path)}{PARTIAL}")


class AtomicTextFile:
    """A text file that replaces `path` only once it is complete.

    It grows under `partial_path(path)`, is synced, and takes the final name when the context
    ends. After an exception an older file keeps the final name, and what was written stays
    beside it as the partial file, whole lines only. A stop by the user (`KeyboardInterrupt`)
    counts as an end. A path that is no ordinary file (a pipe, a terminal) is written directly.

    Every failure to open, write or finish is an `OutputError`.
    """

    def __init__(self, path: str | os.PathLike[str], *, flush_lines: bool = False) -> None:
        self.path = Path(path)
        self.direct = _is_stream(self.path)
        self.partial = self.path if self.direct else partial_path(path)
        self.flush_lines = flush_lines
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.partial.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return self

    def write_line(self, line: str) -> None:
        """Add one line, given without its line break."""
        if self._file is None:
            raise ValueError("AtomicTextFile is written outside its context")
        try:
            self._file.write(line + "\n")
            if self.flush_lines:
                self._file.flush()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        failed = kind is not None and issubclass(kind, Exception)
        try:
            with file:
                file.flush()
                if not self.direct:
                    os.fsync(file.fileno())
            if not (failed or self.direct):
                self.partial.replace(self.path)
        except OSError as problem:
            if failed:
                return
            raise cannot_write(self.path, problem) from problem


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a small text file whole: either all of `text` is under `path`, or nothing is new.

    Raises:
        OutputError: the file cannot be written.
    """
    with AtomicTextFile(path) as file:
        file.write_line(text.removesuffix("\n"))


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error for an output that the system refuses, with the system's own reason."""
    reason = error.strerror or str(error) or type(error).__name__
    return OutputError(
        f"Cannot write '{path}': {reason}.",
        fix="Choose another place, or make room and check the permissions.",
    )


def _is_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)
