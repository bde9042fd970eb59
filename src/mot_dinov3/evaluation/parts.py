"""Which frames of a sequence are scored."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mot_dinov3.errors import InputError, UsageError

FIRST_HALF, SECOND_HALF = "first-half", "second-half"


@dataclass(frozen=True, slots=True)
class Part:
    """Frames `first` to `last`, both included, counted from 1 as in MOT files."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


def parse_part(words: str, frames: int, name: str) -> Part:
    """Read what `--frames` means in a sequence of so many frames.

    Args:
        words: "" for all, "FIRST:LAST" (either may be left out), or the name of a half. The
            second half begins at frame `frames // 2 + 2`, the "val_half" of ByteTrack
            (https://arxiv.org/abs/2110.06864) and CenterTrack; the first is what comes before.
        frames: length of the sequence.
        name: how messages call the sequence.

    Raises:
        UsageError: the words are none of these.
        InputError: the sequence has no such frames.
    """
    middle = frames // 2 + 1
    if words == FIRST_HALF:
        return Part(1, middle)
    if words == SECOND_HALF:
        found = Part(middle + 1, frames)
    elif match := re.fullmatch(r"(\d{0,9}):(\d{0,9})", words or ":"):
        found = Part(int(match[1] or 1), int(match[2] or frames))
    else:
        raise UsageError(
            f"--frames cannot be '{words}'.",
            fix=f"Give FIRST:LAST (from 1), such as 301:600, or {FIRST_HALF} or {SECOND_HALF}.",
        )
    if not 1 <= found.first <= found.last <= frames:
        raise InputError(
            f"--frames asks for {found.first} to {found.last}, but '{name}' has frames 1 to "
            f"{frames}.",
            fix="Give a part that it has.",
        )
    return found
