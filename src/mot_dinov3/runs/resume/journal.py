"""The journal of a run while it goes on: read from its beginning, then written at its end."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import time
from typing import Any, BinaryIO, Protocol, Self, TypeVar

from mot_dinov3.errors import InputError, reason_of
from mot_dinov3.runs.resume.answers import DamagedError, FrameAnswers, picture_checksum
from mot_dinov3.runs.resume.contents import (
    ENDED,
    FRAME,
    IDENTITY,
    UNFINISHED_FILES,
    JournalContents,
    encode_json,
    read_frames,
)
from mot_dinov3.runs.resume.identity import RunIdentity
from mot_dinov3.runs.resume.records import RecordWriter
from mot_dinov3.values import Frame

log = logging.getLogger("mot_dinov3")

T = TypeVar("T")


class JournalHome(Protocol):
    """Where a journal lies: the `JournalPlace`, as far as the journal itself needs it."""

    path: Path

    def create_file(self) -> BinaryIO | None:
        """The empty file of a new journal; None while another process writes one."""

    def remove_journals(self, keep: Path | None) -> None:
        """Remove the journals of a run that has ended well, all but `keep`."""

    def is_partial(self, path: Path) -> bool:
        """Whether `path` is a name under which one of the outputs is being written."""

    def stat_outputs(self) -> dict[str, Any]:
        """Path -> size and time of the last change of every output that exists."""


class RunJournal:
    """The answers of the models, frame by frame; a context, left when the run has ended.

    The file appears with the first new frame, so that a run that fails before leaves nothing.
    A problem with the file never ends a run: there is only less to resume.

    Args:
        home: where the journal lies.
        identity: identity of the run, models included.
        file: the open file of a run that is resumed, None for a new journal.
        contents: what that file holds, None for a new journal.

    Attributes:
        known_frames: how many frames the file held at the beginning.
        frames: how many it holds now.
        list_partials: returns the unfinished outputs of this run, called once they exist.
    """

    def __init__(
        self,
        home: JournalHome,
        identity: RunIdentity,
        file: BinaryIO | None = None,
        contents: JournalContents | None = None,
    ) -> None:
        self._home, self._identity = home, identity
        self._began_s = time()
        self._file = file
        self._writer: RecordWriter | None = None
        self._older_files = contents.files if contents else []
        self._own_files: list[tuple[str, int]] | None = None
        self._stored = read_frames(contents.path) if contents else iter(())
        self.known_frames = self.frames = contents.frames if contents else 0
        self._frames_to_read = self.known_frames
        self._broken = False
        self.list_partials: Callable[[], Iterable[Path]] = lambda: ()
        if file is not None and contents is not None:
            self._writer = RecordWriter(file, contents.end, contents.checksum)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Close the file, which stays unless `finish` was called."""
        self._close()

    def read_next(self, frame: Frame) -> FrameAnswers | None:
        """The answers of the next frame, None behind the last one of the journal.

        Raises:
            InputError: the journal holds another frame or picture there, or is damaged.
        """
        if not self._frames_to_read:
            return None
        self._frames_to_read -= 1
        if self._writer is not None:
            # The outputs are written anew from the first frame on, so a kill may leave files now.
            self._attempt(self._note_files, self._writer)
        try:
            known = next(self._stored, None)
        except (OSError, DamagedError) as error:
            raise self.mismatch(frame, "cannot be read") from error
        if known is None or (known.index, known.time_s) != (frame.index, frame.time_s):
            raise self.mismatch(frame, "holds other frames")
        if known.picture != picture_checksum(frame):
            raise self.mismatch(frame, "shows another picture")
        return known

    def mismatch(self, frame: Frame, what: str) -> InputError:
        """The error for a journal that does not belong to what is being tracked."""
        return InputError(
            f"The journal of the unfinished run {what} at frame {frame.index}.",
            fix="Give the source that it was tracking, or leave out --resume to begin anew.",
        )

    @property
    def resumed_frames(self) -> int:
        """How many frames were read from the journal so far."""
        return self.known_frames - self._frames_to_read

    def append(self, answers: FrameAnswers) -> None:
        """Write the answers of a new frame."""
        self._attempt(self._write_frame, answers)

    def _attempt(self, work: Callable[[T], None], value: T) -> None:
        """Call `work` with `value`, unless a write has failed before; a failure is only logged."""
        if self._broken:
            return
        try:
            work(value)
        except OSError as error:
            self._broken = True
            log.info("The journal '%s' ends here: %s.", self._home.path, reason_of(error))

    def _write_frame(self, answers: FrameAnswers) -> None:
        """Append a frame; by the first new one the run has come as far as those before it."""
        writer = self._writer or self._create_writer()
        if writer is not None:
            self._note_files(writer)
            writer.append(FRAME, *answers.pack())
            self.frames += 1
            self._remove_partials(self._older_files)
            self._older_files = []

    def _create_writer(self) -> RecordWriter | None:
        self._file = self._home.create_file()
        if self._file is None:
            self._broken = True
            log.info("No journal is kept: another run is writing '%s'.", self._home.path)
            return None
        self._writer = RecordWriter(self._file)
        self._writer.append(IDENTITY, encode_json(self._identity.as_dict()))
        return self._writer

    def _note_files(self, writer: RecordWriter) -> None:
        """Note the partial files of this run, so that a resumed run can remove them after a kill.

        Those of earlier runs are removed once this run has come as far as they did.
        """
        if self._own_files is None:
            paths = [path for path in self.list_partials() if path.exists()]
            self._own_files = [(str(path), path.stat().st_ino) for path in paths]
            # The system reuses inodes: a file that has an older one's path is this run's.
            own = {name for name, _ in self._own_files}
            self._older_files = [item for item in self._older_files if item[0] not in own]
            writer.append(UNFINISHED_FILES, encode_json([*self._older_files, *self._own_files]))

    def finish(self, stats: Mapping[str, Any], *, mark: bool) -> None:
        """Remove the journal of a run that has ended well.

        Args:
            stats: the stats of the run.
            mark: leave a journal without frames that says that the run has ended.
        """
        self._remove_partials(self._older_files)
        try:
            if mark:
                self._write_end_mark(stats)
            self._home.remove_journals(self._home.path if mark else None)
        except OSError as error:
            log.info("The journal '%s' stays: %s.", self._home.path, reason_of(error))
        self._close()

    def _remove_partials(self, files: Iterable[tuple[str, int]]) -> None:
        """Remove the partial files of killed runs.

        A journal is only data: a path in it is left alone unless it is a partial name of an
        output, has the noted inode, and was last changed before this run began.
        """
        for name, inode in files:
            path = Path(name)
            with contextlib.suppress(OSError):
                stat = path.lstat()
                left_behind = stat.st_ino == inode and stat.st_mtime < self._began_s
                if self._home.is_partial(path) and left_behind:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _write_end_mark(self, stats: Mapping[str, Any]) -> None:
        file = self._file or self._home.create_file()
        if file is not None:
            self._file = file
            self._writer = RecordWriter(file)
            self._writer.append(IDENTITY, encode_json(self._identity.as_dict()))
            outputs = self._home.stat_outputs()
            self._writer.append(ENDED, encode_json({"outputs": outputs, "stats": dict(stats)}))

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                empty = os.fstat(file.fileno()).st_size == 0
                if empty:
                    self._home.path.unlink(missing_ok=True)
            file.close()
