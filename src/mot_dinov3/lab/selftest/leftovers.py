"""What a run left on the disk, read without the code under test."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import av

from mot_dinov3.lab.selftest.cases import expect

MOT_COLUMNS = 10


def count_playing_frames(path: Path) -> int:
    """Count the pictures that a player shows until a video breaks off; 0 if it is not a video."""
    count = 0
    with suppress(av.FFmpegError, OSError), av.open(str(path)) as container:
        for _ in container.decode(video=0):
            count += 1
    return count


def read_records(path: Path, *, broken: int = 0) -> list[dict[str, Any]]:
    """Read the lines of a JSONL file, whose frames must count up from the first one.

    Args:
        path: the file.
        broken: how many lines at its end may be cut off.

    Raises:
        BrokenPromiseError: a line before its end is not JSON, or frames are missing.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    records = []
    for number, line in enumerate(lines, 1):
        if not line and number == len(lines):
            break
        try:
            record = json.loads(line)
        except ValueError:
            short = len(lines) - number + 1
            expect(short <= broken, f"line {number} of {len(lines)} of {path.name} is not JSON")
            break
        records.append(record)
    found = [record["frame"] for record in records if "frame" in record]
    first = found[0] if found else 0
    expect(found == list(range(first, first + len(found))), f"{path.name} skips frames: {found}")
    return records


def count_frames(records: list[dict[str, Any]]) -> int:
    """Count the frames of a frame log."""
    return sum("frame" in record for record in records)


def read_last_frame(path: Path, *, broken: int = 0) -> int:
    """Read the number of the last frame in a MOT text; `broken` last lines may be cut off.

    Raises:
        BrokenPromiseError: another line is cut off.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    last = 0
    for number, line in enumerate(lines, 1):
        words = line.split(",")
        if len(words) != MOT_COLUMNS or words[-1] != "-1":
            expect(number > len(lines) - broken, f"line {number} of {path.name} is cut off: {line}")
            break
        last = int(words[0])
    return last


def find_unfinished(directory: Path, stem: str = "o") -> list[Path]:
    """Find the files of a run that never got their final name."""
    return sorted(directory.glob(f"{stem}.partial*"))
