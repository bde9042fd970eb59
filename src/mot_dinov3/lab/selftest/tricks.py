"""What a malicious file is to the measure that opens it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mot_dinov3.lab.selftest.traps import Traps

Prepare: TypeAlias = Callable[[Path, Traps], Sequence[str]]
"""Writes the file into a directory and returns the command line that opens it."""


@dataclass(frozen=True, slots=True)
class Trick:
    """One malicious file.

    Attributes:
        name: unique in its table.
        code: the exit code: refused, or 0 where the harmless part of it is used.
        prepare: makes it; in its words `{clip}` is a good clip, `{boxes}` its detections.
    """

    name: str
    code: int
    prepare: Prepare
