"""Where the journal of a run lies, which process may write it, and when it is removed."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from mot_dinov3.errors import OutputError, UsageError, cannot_write, reason_of
from mot_dinov3.io.write.atomic import is_stream
from mot_dinov3.io.write.paths import is_partial_name
from mot_dinov3.runs.resume.contents import JournalContents, read_contents
from mot_dinov3.runs.resume.identity import RunIdentity, find_differences
from mot_dinov3.runs.resume.journal import RunJournal
from mot_dinov3.runtime.notices import log_notice
from mot_dinov3.wording import counted

if sys.platform != "win32":
    import fcntl

SET_ASIDE = "-old"
"""Suffix of an unfinished journal while another run begins anew, without `--resume`."""


def journal_path(output: Path) -> Path:
    """The journal of a run whose first output, with links followed, is `output`."""
    return output.with_name(f".{output.name}.journal")


class JournalPlace:
    """The journals beside the first output of a run: the current one, and one that is set aside.

    A run calls `check_identity`, then `begin` or `resume`; the journal that they return calls
    `create_file`, `remove_journals`, `is_partial` and `stat_outputs`.

    Args:
        outputs: everything that the run will write; the first one is a file, not a pipe.
        identity: of the run, its models not loaded yet.
    """

    def __init__(self, outputs: Iterable[Path], identity: RunIdentity) -> None:
        self._outputs = [Path(os.path.realpath(path)) for path in outputs]
        first = self._outputs[0]
        self.path = journal_path(first)
        self._aside = self.path.with_name(self.path.name + SET_ASIDE)
        self._identity = identity
        self._contents: dict[Path, JournalContents] = {}

    def check_identity(self) -> None:
        """Refuse the journal of another run, before any model is loaded.

        Raises:
            UsageError: the message says what is different.
        """
        self._find_resumable(self._identity)

    def begin(self, fingerprint: Mapping[str, str]) -> RunJournal:
        """A new journal; its file appears with the first frame, and sets an unfinished one aside.

        Args:
            fingerprint: of the loaded models, by role.
        """
        return RunJournal(self, self._identity.with_models(fingerprint))

    def resume(self, fingerprint: Mapping[str, str]) -> RunJournal:
        """The unfinished journal of this same run, or a new one if there is none.

        Args:
            fingerprint: of the loaded models, by role.

        Raises:
            UsageError: the journal here belongs to another run.
            OutputError: another process is writing it, or it cannot be read.
        """
        identity = self._identity.with_models(fingerprint)
        found = self._find_resumable(identity)
        if found is None:
            log_notice(
                "No unfinished run of '%s' is known here: it begins at the beginning.",
                self._outputs[0].name,
            )
            return RunJournal(self, identity)
        try:
            file = self._lock(found)
        except OSError as error:
            raise cannot_write(found.path, error) from error
        damage = "; the rest of its journal is damaged" if found.size > found.end else ""
        done = counted(found.frames, "frame")
        log_notice("Goes on after %s of the unfinished run%s.", done, damage)
        return RunJournal(self, identity, file, found)

    def _find_resumable(self, identity: RunIdentity) -> JournalContents | None:
        """The unfinished journal of this run with the most frames, None if there is none at all.

        Raises:
            UsageError: there are unfinished journals, but of other runs only.
        """
        found = [item for item in map(self._read, (self.path, self._aside)) if item.is_unfinished]
        differences = [find_differences(item.identity, identity) for item in found]
        same = [item for item, what in zip(found, differences, strict=True) if not what]
        if same:
            return max(same, key=lambda item: item.frames)
        if found:
            raise UsageError(
                f"The unfinished run of '{self._outputs[0].name}' was another one: "
                f"{'; '.join(differences[0])}.",
                fix="Give the same flags, source and models, or leave out --resume to begin anew.",
            )
        return None

    def _lock(self, found: JournalContents) -> BinaryIO:
        """Open a journal for this process alone and make it the current one.

        One that was set aside takes the place of the current one, which must be free as well.

        Raises:
            OutputError: another process is writing it, or the current one.
            OSError: the system refused.
        """
        paths = dict.fromkeys((found.path, self.path))  # once if both are the same
        files = [open_locked(path) for path in paths]
        # A journal that has grown since it was read has been written by another run.
        if None in files or found.path.stat().st_size != found.size:
            raise OutputError(
                f"Another run is writing '{self._outputs[0]}' at this moment.",
                fix="Wait until it has ended.",
            )
        file, *replaced = (file for file in files if file is not None)
        found.path.replace(self.path)
        found.path = self.path
        for other in replaced:
            other.close()
        return file

    def read_final_stats(self) -> Mapping[str, Any] | None:
        """The stats of this same run, if it has ended and its outputs are as it left them."""
        found = self._read(self.path)
        ended = found.ended
        if ended is None or find_differences(found.identity, self._identity):
            return None
        if ended.get("outputs") != self.stat_outputs():
            return None
        stats = ended.get("stats")
        return stats if isinstance(stats, dict) else {}

    def _read(self, path: Path) -> JournalContents:
        """The contents of a journal, read once."""
        try:
            if path not in self._contents:
                self._contents[path] = read_contents(path)
            return self._contents[path]
        except OSError as error:
            raise OutputError(
                f"The journal '{path}' cannot be read: {reason_of(error)}.",
                fix="Check its permissions, or leave out --resume.",
            ) from error

    def create_file(self) -> BinaryIO | None:
        """The empty file of a new journal; None while another process writes one.

        An unfinished journal is set aside, unless the one set aside before holds more.

        Raises:
            OSError: the system refused.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = open_locked(self.path)
        if file is None:
            return None
        found = read_contents(self.path)
        if found.is_unfinished and found.end >= read_contents(self._aside).end:
            self.path.replace(self._aside)
            file.close()
            log_notice(
                "'%s' was not finished (%s). This run begins anew; until it has ended, "
                "--resume goes on with the other one.",
                self._outputs[0].name,
                counted(found.frames, "frame"),
            )
            file = open_locked(self.path)
        return file

    def remove_journals(self, keep: Path | None) -> None:
        """Remove the journals of a run that has ended well, all but `keep`.

        Raises:
            OSError: the system refused.
        """
        for path in (self.path, self._aside):
            if path != keep:
                path.unlink(missing_ok=True)

    def is_partial(self, path: Path) -> bool:
        """Whether `path` is a name under which one of the outputs is being written."""
        return any(is_partial_name(path, output) for output in self._outputs)

    def stat_outputs(self) -> dict[str, Any]:
        """Path -> size and time of the last change of every output that exists."""
        there = {str(path): path.stat() for path in self._outputs if path.exists()}
        return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in there.items()}


def select_files(outputs: Iterable[Path]) -> list[Path]:
    """The outputs beside which a journal can lie: all but pipes and terminals."""
    return [path for path in outputs if not is_stream(path)]


def open_locked(path: Path) -> BinaryIO | None:
    """Open a journal for this process alone, and create it if it is missing.

    Returns:
        The file, None if another process has it.

    Raises:
        OSError: the system refused.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    file = os.fdopen(descriptor, "r+b", buffering=0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                file.close()
                return None
    return file
