"""Text outputs that appear under their final name only when they are whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from mot_dinov3.errors import OutputError, cannot_write
from mot_dinov3.io.write.paths import publish, reserve_partial
from mot_dinov3.runtime.interruption import LongWork
from mot_dinov3.runtime.opening import NO_BLOCK


class AtomicTextFile:
    """A text file that takes its name, or replaces what had it, only once it is finished.

    It grows under a partial name beside it (`walk.txt` as `walk.partial.txt`) and is synced and
    renamed when the context ends, also after an exception elsewhere, as the video is. Only what
    could not be written whole keeps the partial name. A path that is not an ordinary file (a
    pipe, a terminal) is written directly.

    Every failure to open, write or finish is an `OutputError`.

    Attributes:
        path: the final name.
        partial: where the text is now; the final name itself for a pipe.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, flush_lines: bool = False, head: str = ""
    ) -> None:
        """Prepare a file; nothing is opened yet.

        Args:
            path: the final name, or a stream.
            flush_lines: every line is there for readers at once.
            head: the first line, written when the file is opened; "" for none.
        """
        self.path = Path(path)
        self._head = head
        self.partial = self.path
        self._direct = is_stream(self.path)
        self._flush_lines = flush_lines
        self._whole = True
        self._file: IO[str] | None = None
        self._reader = LongWork(str(path), self._read_a_moment, "Read it, or name a file.")

    def __enter__(self) -> Self:
        if not self._direct:
            self.partial = reserve_partial(self.path)
        try:
            with self._waiting():
                # A name of a file may hold bytes that are not UTF-8: they become question marks.
                self._file = self.partial.open(
                    "w", encoding="utf-8", errors="replace", newline="\n"
                )
        except OSError as error:
            raise cannot_write(self.path, error) from error
        if self._reader.signal:  # a signal ended the wait for a reader
            self._file.close()
            raise self._reader.explain()
        if self._head:
            self._write_head()
        return self

    def _write_head(self) -> None:
        try:
            self.write_line(self._head)
        except OutputError as error:
            self.__exit__(OutputError, error, error.__traceback__)
            raise

    def _waiting(self) -> AbstractContextManager[None]:
        """Around what waits for the reader of a pipe, who may never come: a signal ends it."""
        return self._reader if self._direct else nullcontext()

    def _read_a_moment(self) -> None:
        """Be the reader of a pipe, so that opening it returns."""
        with suppress(OSError):
            os.close(os.open(self.path, os.O_RDONLY | NO_BLOCK))

    def write_line(self, line: str) -> None:
        """Add one line, given without its line break."""
        if self._file is None:
            raise ValueError("AtomicTextFile is written outside its context")
        try:
            with self._waiting():
                self._file.write(line + "\n")
                if self._flush_lines:
                    self._file.flush()
        except OSError as error:
            self._whole = False
            raise cannot_write(self.path, error) from error

    def leave_partial(self) -> None:
        """Keep the partial name at the end: what was to be written is not all there."""
        self._whole = False

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

    def _finish(self, file: IO[str]) -> None:
        try:
            with self._waiting():
                file.close()
        except OSError as error:
            raise cannot_write(self.path, error) from error
        if self._whole and not self._direct:
            publish(self.partial, self.path, replace=True)


@contextmanager
def defer_to(kind: type[BaseException] | None) -> Iterator[None]:
    """Drop an `OutputError` raised inside when an exception of `kind` is on its way already.

    That exception says more than an output that cannot be finished. None stands for no exception.
    """
    try:
        yield
    except OutputError:
        if kind is None or not issubclass(kind, Exception):
            raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a small text file whole: either all of `text` is under `path`, or nothing is new.

    Raises:
        OutputError: the file cannot be written.
    """
    with AtomicTextFile(path) as file:
        file.write_line(text.removesuffix("\n"))


def is_stream(path: Path) -> bool:
    """Whether a path is a pipe, a terminal or a socket: no file can take its place."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)
