"""The journal of a run while it runs: told again from its beginning, then written on."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import time
from typing import Any, BinaryIO, Protocol, Self, TypeVar

from mot_dinov3.errors import InputError
from mot_dinov3.runs.resume.answers import Answers, DamagedError, look_of
from mot_dinov3.runs.resume.contents import (
    ENDED,
    FRAME,
    UNFINISHED_FILES,
    WHOSE,
    Contents,
    frames_of,
    plain,
)
from mot_dinov3.runs.resume.identity import Identity
from mot_dinov3.runs.resume.records import RecordWriter
from mot_dinov3.values import Frame

log = logging.getLogger("mot_dinov3")

T = TypeVar("T")


class Home(Protocol):
    """Where a journal lies."""

    path: Path

    def take(self) -> BinaryIO | None:
        """The file of a new journal."""

    def clear(self, keep: Path | None) -> None:
        """Remove journals that are of no use any more."""

    def is_partial(self, path: Path) -> bool:
        """Whether this can be the unfinished form of an output."""

    def outputs_now(self) -> dict[str, Any]:
        """Every output that is there."""


class RunJournal:
    """What the tracker is told, frame by frame; a context, left when the run has ended.

    The file appears with the first new frame, so that a run that never gets going leaves nothing.
    Trouble with it never ends a run: there is only less to resume.

    Args:
        home: where it lies.
        identity: whose it is.
        file: the file of a run that goes on, open.
        known: what it holds.

    Attributes:
        known_frames: how many frames are told again.
        frames: how many it holds now.
        partials: asked for the unfinished outputs of this run, once they are there.
    """

    def __init__(
        self,
        home: Home,
        identity: Identity,
        file: BinaryIO | None = None,
        known: Contents | None = None,
    ) -> None:
        self._home, self._identity = home, identity
        self._began_s = time()
        self._file = file
        self._writer: RecordWriter | None = None
        self._of_others = known.files if known else []
        self._own_files: list[tuple[str, int]] | None = None
        self._known = frames_of(known.path) if known else iter(())
        self.known_frames = self.frames = known.frames if known else 0
        self._left = self.known_frames
        self._broken = False
        self.partials: Callable[[], Iterable[Path]] = tuple
        if file is not None and known is not None:
            self._writer = RecordWriter(file, known.end, known.checksum)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Let go of the file, which stays unless `finish` was called."""
        self._close()

    def told(self, frame: Frame) -> Answers | None:
        """What is known of a frame, None once everything was told.

        Raises:
            InputError: the journal is not about this frame, or makes no sense.
        """
        if not self._left:
            return None
        self._left -= 1
        if self._writer is not None:
            self._attempt(self._note_files, self._writer)
        try:
            known = next(self._known, None)
        except (OSError, DamagedError) as error:
            raise self.misfit(frame, "cannot be read") from error
        if known is None or (known.index, known.time_s) != (frame.index, frame.time_s):
            raise self.misfit(frame, "holds other frames")
        if known.picture != look_of(frame):
            raise self.misfit(frame, "shows another picture")
        return known

    def misfit(self, frame: Frame, what: str) -> InputError:
        """The error for a journal that is about something else than what is being tracked."""
        return InputError(
            f"The journal of the unfinished run {what} at frame {frame.index}.",
            fix="Give the source that it was tracking, or leave out --resume to begin anew.",
        )

    @property
    def told_frames(self) -> int:
        """How many frames were told again so far."""
        return self.known_frames - self._left

    def keep(self, answers: Answers) -> None:
        """Write down what was told in a new frame."""
        self._attempt(self._append, answers)

    def _attempt(self, work: Callable[[T], None], value: T) -> None:
        """Do some writing, or none any more once some of it failed."""
        if self._broken:
            return
        try:
            work(value)
        except OSError as error:
            self._broken = True
            log.info("The journal '%s' ends here: %s.", self._home.path, error.strerror or error)

    def _append(self, answers: Answers) -> None:
        writer = self._writer or self._begin()
        if writer is not None:
            self._note_files(writer)
            writer.append(FRAME, *answers.packed())
            self.frames += 1
            self._remove(self._of_others)
            self._of_others = []

    def _begin(self) -> RecordWriter | None:
        self._file = self._home.take()
        if self._file is None:
            self._broken = True
            log.info("No journal is kept: another run is writing '%s'.", self._home.path)
            return None
        self._writer = RecordWriter(self._file)
        self._writer.append(WHOSE, plain(self._identity.as_dict()))
        return self._writer

    def _note_files(self, writer: RecordWriter) -> None:
        """Remember which partial files are this run's: once it is killed they are of no use.

        Those of earlier runs go as soon as this one has come as far as they did.
        """
        if self._own_files is None:
            paths = [path for path in self.partials() if path.exists()]
            self._own_files = [(str(path), path.stat().st_ino) for path in paths]
            # Numbers of files are given again: what has the same by now is this run's.
            own = {name for name, _ in self._own_files}
            self._of_others = [item for item in self._of_others if item[0] not in own]
            writer.append(UNFINISHED_FILES, plain([*self._of_others, *self._own_files]))

    def finish(self, stats: Mapping[str, Any], *, mark: bool) -> None:
        """The run has ended well: nothing is left of it but, with `mark`, that it did."""
        self._remove(self._of_others)
        try:
            if mark:
                self._mark(stats)
            self._home.clear(self._home.path if mark else None)
        except OSError as error:
            log.info("The journal '%s' stays: %s.", self._home.path, error.strerror or error)
        self._close()

    def _remove(self, files: Iterable[tuple[str, int]]) -> None:
        """Remove what killed runs left behind, where it is those files and beside an output.

        A journal is only data: whatever it names, nothing else is touched.
        """
        for name, inode in files:
            path = Path(name)
            with contextlib.suppress(OSError):
                stat = path.lstat()
                left_behind = stat.st_ino == inode and stat.st_mtime < self._began_s
                if self._home.is_partial(path) and left_behind:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _mark(self, stats: Mapping[str, Any]) -> None:
        file = self._file or self._home.take()
        if file is not None:
            self._file = file
            self._writer = RecordWriter(file)
            self._writer.append(WHOSE, plain(self._identity.as_dict()))
            outputs = self._home.outputs_now()
            self._writer.append(ENDED, plain({"outputs": outputs, "stats": dict(stats)}))

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                empty = os.fstat(file.fileno()).st_size == 0
                if empty:
                    self._home.path.unlink(missing_ok=True)
            file.close()
