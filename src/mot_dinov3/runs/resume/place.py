"""Where the journal of a run lies, whose turn it is to write it, and what becomes of it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from mot_dinov3.errors import OutputError, UsageError, cannot_write
from mot_dinov3.io.write.atomic import is_stream
from mot_dinov3.io.write.paths import is_partial_name
from mot_dinov3.runs.resume.contents import Contents, look_into
from mot_dinov3.runs.resume.identity import Identity, differences
from mot_dinov3.runs.resume.journal import RunJournal
from mot_dinov3.runtime.notices import log_notice
from mot_dinov3.wording import counted

if sys.platform != "win32":
    import fcntl

SET_ASIDE = "-old"
"""What is put behind the name of a journal when another run begins without `--resume`."""


def journal_path(output: Path) -> Path:
    """Where the journal of a run lies whose first output, links followed, is this."""
    return output.with_name(f".{output.name}.journal")


class JournalPlace:
    """The journal beside the first output of a run.

    Args:
        outputs: everything that the run will write, the first one a file and no pipe.
        identity: of the run, its models still unknown.
    """

    def __init__(self, outputs: Iterable[Path], identity: Identity) -> None:
        self._outputs = [Path(os.path.realpath(path)) for path in outputs]
        first = self._outputs[0]
        self.path = journal_path(first)
        self._aside = self.path.with_name(self.path.name + SET_ASIDE)
        self._identity = identity
        self._seen: dict[Path, Contents] = {}

    def ended(self) -> Mapping[str, Any] | None:
        """The figures of this very run, if it is over and its outputs are as it left them."""
        found = self._look(self.path)
        ended = found.ended
        if ended is None or differences(found.identity, self._identity):
            return None
        if ended.get("outputs") != self.outputs_now():
            return None
        stats = ended.get("stats")
        return stats if isinstance(stats, dict) else {}

    def outputs_now(self) -> dict[str, Any]:
        """Path -> size and time of the last change of every output that is there."""
        there = {str(path): path.stat() for path in self._outputs if path.exists()}
        return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in there.items()}

    def is_partial(self, path: Path) -> bool:
        """Whether this is a name under which one of the outputs grows."""
        return any(is_partial_name(path, output) for output in self._outputs)

    def require_fit(self) -> None:
        """Refuse the journals of other runs; cheap, so it comes before any model is loaded.

        Raises:
            UsageError: it says what is different.
        """
        self._best(self._identity)

    def begin(self, models: Mapping[str, str]) -> RunJournal:
        """A new journal, which begins with the first frame; an unfinished one is set aside."""
        return RunJournal(self, self._identity.by(models))

    def resume(self, models: Mapping[str, str]) -> RunJournal:
        """The journal of this very run, or a new one if there is none.

        Raises:
            UsageError: the journal here belongs to another run.
            OutputError: another process is writing it, or it cannot be read.
        """
        identity = self._identity.by(models)
        best = self._best(identity)
        if best is None:
            log_notice("No unfinished run of '%s' is known here: it begins at the beginning.",
                   self._outputs[0].name)  # fmt: skip
            return RunJournal(self, identity)
        try:
            file = self._own(best)
        except OSError as error:
            raise cannot_write(best.path, error) from error
        damage = "; the rest of its journal is damaged" if best.size > best.end else ""
        done = counted(best.frames, "frame")
        log_notice("Goes on after %s of the unfinished run%s.", done, damage)
        return RunJournal(self, identity, file, best)

    def _own(self, best: Contents) -> BinaryIO:
        """Take a journal and the name of the journal, so that nobody else writes either."""
        files = [opened(path) for path in dict.fromkeys((best.path, self.path))]
        if None in files or best.path.stat().st_size != best.size:
            raise OutputError(
                f"Another run is writing '{self._outputs[0]}' at this moment.",
                fix="Wait until it has ended.",
            )
        file, *rest = (file for file in files if file is not None)
        best.path.replace(self.path)
        best.path = self.path
        for other in rest:
            other.close()
        return file

    def take(self) -> BinaryIO | None:
        """The file of a new journal, empty; None while another process writes one.

        Raises:
            OSError: the system refused.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = opened(self.path)
        if file is None:
            return None
        found = look_into(self.path)
        if found.goes_on and found.end >= look_into(self._aside).end:
            self.path.replace(self._aside)
            file.close()
            log_notice("'%s' was not finished (%s). This run begins anew; until it has ended, "
                   "--resume goes on with the other one.", self._outputs[0].name,
                   counted(found.frames, "frame"))  # fmt: skip
            file = opened(self.path)
        return file

    def clear(self, keep: Path | None) -> None:
        """Remove all journals here but `keep`; a run has ended well."""
        for path in (self.path, self._aside):
            if path != keep:
                path.unlink(missing_ok=True)

    def _best(self, identity: Identity) -> Contents | None:
        """The journal of this run that holds most, None if none was left unfinished."""
        found = [item for item in map(self._look, (self.path, self._aside)) if item.goes_on]
        apart = [differences(item.identity, identity) for item in found]
        fitting = [item for item, what in zip(found, apart, strict=True) if not what]
        if fitting:
            return max(fitting, key=lambda item: item.frames)
        if found:
            raise UsageError(
                f"The unfinished run of '{self._outputs[0].name}' was another one: "
                f"{'; '.join(apart[0])}.",
                fix="Give the same flags, source and models, or leave out --resume to begin anew.",
            )
        return None

    def _look(self, path: Path) -> Contents:
        try:
            if path not in self._seen:
                self._seen[path] = look_into(path)
            return self._seen[path]
        except OSError as error:
            raise OutputError(
                f"The journal '{path}' cannot be read: {error.strerror}.",
                fix="Check its permissions, or leave out --resume.",
            ) from error


def ordinary(outputs: Iterable[Path]) -> list[Path]:
    """The outputs beside which a journal can lie: all but pipes and terminals."""
    return [path for path in outputs if not is_stream(path)]


def opened(path: Path) -> BinaryIO | None:
    """Open a journal for this process alone, made where it is missing; None if another one has it.

    Raises:
        OSError: the system refused.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=0)
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                file.close()
                return None
    return file
