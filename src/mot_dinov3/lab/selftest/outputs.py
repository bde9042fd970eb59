"""The outputs of a run that is watched, and whether they fit together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mot_dinov3.lab.selftest.cases import expect
from mot_dinov3.lab.selftest.leftovers import (
    count_frames,
    count_playing_frames,
    find_unfinished,
    read_last_frame,
    read_records,
)

OLD = b"the last good one"


def outputs_of(video: str = "o.mp4") -> Mapping[str, str]:
    """Flag -> file of everything that a watched run writes."""
    return {
        "--output": video,
        "--save-mot": "o.txt",
        "--save-jsonl": "o.jsonl",
        "--stats-json": "o.json",
    }


def words_for(outputs: Mapping[str, str]) -> list[str]:
    """The flags and files as words."""
    return [word for pair in outputs.items() for word in pair]


def is_new(path: Path) -> bool:
    """Whether a run gave a file its final name."""
    return path.exists() and path.read_bytes() != OLD


def count_frames_in(path: Path) -> int:
    """Count the frames in a finished output.

    Raises:
        BrokenPromiseError: a line of it is cut off.
    """
    if path.suffix == ".json":
        return int(json.loads(path.read_text(encoding="utf-8"))["frames"])
    if path.suffix == ".jsonl":
        return count_frames(read_records(path))
    if path.suffix == ".txt":
        return read_last_frame(path)
    return count_playing_frames(path)


def expect_whole(path: Path, frames: int) -> None:
    """Go on only when a finished output has so many frames.

    Raises:
        BrokenPromiseError: it does not.
    """
    found = count_frames_in(path)
    expect(found == frames, f"{path.name} is there with {found} of {frames} frames")


def expect_consistent(directory: Path, outputs: Mapping[str, str]) -> None:
    """Go on only when a run that was stopped left all of its outputs, or none, and no rest.

    Raises:
        BrokenPromiseError: something is missing, differs in length or has no final name.
    """
    rest = [path.name for path in find_unfinished(directory)]
    expect(not rest, f"{rest} did not get their final names")
    new = [name for name in outputs.values() if is_new(directory / name)]
    expect(len(new) in (0, len(outputs)), f"only {new} were written")
    if new:
        frames = count_frames_in(directory / "o.json")
        for name in new:
            # The first frame may have no confirmed track, so MOT text may have none.
            if not (name.endswith(".txt") and frames <= 2):
                expect_whole(directory / name, frames)
