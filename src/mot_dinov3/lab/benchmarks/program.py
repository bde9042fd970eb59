"""A whole program, started as a user starts it, watched from outside until its last frame."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import IO

from mot_dinov3.wording import counted

LOOK_S = 0.005
LIMIT_S = 900.0
"""After so long a program is taken for stuck."""


class ProgramError(Exception):
    """A program did not do its work; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a program is started, and how its progress shows.

    Attributes:
        words: the command line.
        directory: where it writes; emptied before every run.
        frame_line: pattern of the line that it prints for each frame, "" if it prints none.
        end_line: pattern of the line that it prints when all is written, "" if it prints none.
        frame_files: glob of the file that gets a line for each frame, below `directory`.
        end_file: name of a file that appears when all is written, below `directory`.
        environment: its variables; those of this process when empty.
    """

    words: Sequence[str]
    directory: Path
    frame_line: str = ""
    end_line: str = ""
    frame_files: str = ""
    end_file: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProgramTimes:
    """One run: seconds from the command to the first frame, then frames a second."""

    first_s: float
    fps: float
    frames: int


@dataclass(slots=True)
class Log:
    """Lines that a program printed, each with the second at which it arrived."""

    lines: list[tuple[float, str]] = field(default_factory=list)

    def listen(self, pipe: IO[str]) -> None:
        """Read until the program closes its output."""
        for line in pipe:
            self.lines.append((perf_counter(), line.rstrip()))

    def find_times(self, pattern: str) -> list[float]:
        """Find the seconds at which lines with this pattern arrived."""
        wanted = re.compile(pattern)
        return [at for at, line in self.lines if wanted.search(line)] if pattern else []

    def find_last_line(self) -> str:
        """Find the last line that is not blank."""
        return find_last_line("\n".join(line for _, line in self.lines))


@dataclass(slots=True)
class FileWatch:
    """Sees from outside when the first frames and when the whole output are in their files."""

    program: Program
    first_s: float = 0.0
    first_frames: int = 0
    end_s: float = 0.0

    def check_files(self) -> None:
        """Note what has appeared since the last check."""
        if not self.first_s:
            count = self.frames()
            if count:
                self.first_s, self.first_frames = perf_counter(), count
        if self.program.end_file and not self.end_s and self._end().exists():
            self.end_s = perf_counter()

    def frames(self) -> int:
        """Whole lines in the file of the frames."""
        pattern = self.program.frame_files
        files = self.program.directory.glob(pattern) if pattern else ()
        return max((file.read_bytes().count(b"\n") for file in files), default=0)

    def _end(self) -> Path:
        return self.program.directory / self.program.end_file


def find_last_line(text: str) -> str:
    """Find the last line that is not blank."""
    lines = (line.strip() for line in reversed(text.splitlines()))
    return next(filter(None, lines), "it said nothing")


def watch(program: Program) -> ProgramTimes:
    """Run a program to its end, its directory emptied before.

    Frames a second count from the first frame that was seen finished to the moment when all
    output was written, so that neither loading nor leaving counts.

    Raises:
        ProgramError: it cannot be started, fails, hangs or shows no frames.
    """
    shutil.rmtree(program.directory, ignore_errors=True)
    program.directory.mkdir(parents=True)
    log, files, started = Log(), FileWatch(program), perf_counter()
    try:
        process = subprocess.Popen(
            program.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(program.environment) or dict(os.environ),
        )
    except OSError as error:
        raise ProgramError(f"it cannot be started: {error}") from error
    with process:
        assert process.stdout is not None
        listener = threading.Thread(target=log.listen, args=(process.stdout,), daemon=True)
        listener.start()
        while process.poll() is None:
            files.check_files()
            if perf_counter() - started > LIMIT_S:
                process.kill()
                raise ProgramError(f"it was not done after {LIMIT_S:g} s")
            sleep(LOOK_S)
        ended = perf_counter()
        files.check_files()
        listener.join()
    if process.returncode:
        raise ProgramError(f"it ended with code {process.returncode}: {log.find_last_line()}")
    return sum_up(program, log, files, (started, ended))


def sum_up(program: Program, log: Log, files: FileWatch, span: tuple[float, float]) -> ProgramTimes:
    """Compute the times of a run from what was seen between its start and its end.

    Raises:
        ProgramError: there were not even two frames.
    """
    started, ended = span
    printed = log.find_times(program.frame_line)
    if printed:
        first, at_first, frames = printed[0], 1, len(printed)
    else:
        first, at_first, frames = files.first_s, files.first_frames, files.frames()
    if frames <= at_first or not first:
        raise ProgramError(f"it showed {counted(frames, 'frame')}: {log.find_last_line()}")
    last = files.end_s or next(iter(log.find_times(program.end_line)), ended)
    return ProgramTimes(first - started, (frames - at_first) / (last - first), frames)
