"""Pointer files of git-lfs: what a clone holds in place of large files that were not fetched."""

from __future__ import annotations

from pathlib import Path

from mot_dinov3.errors import MotError
from mot_dinov3.runtime.opening import POINTER, is_pointer, open_regular

FETCH = "Fetch the file itself, in the repository that it is from: git lfs pull"


def refuse_pointer(path: Path, kind: type[MotError]) -> None:
    """Refuse a file that only stands for another one; others, and none at all, pass.

    Raises:
        MotError: of that kind, with the remedy.
    """
    try:
        with open_regular(path) as file:
            head = file.read(len(POINTER))
    except (OSError, ValueError):
        return
    if is_pointer(head):
        raise build_pointer_error(str(path), kind)


def build_pointer_error(name: str, kind: type[MotError]) -> MotError:
    """The error for a file, called `name`, that only stands for another one."""
    return kind(f"'{name}' is not the file itself but a pointer of git-lfs to it.", fix=FETCH)
